"""The notebook's side of jupyter_ra_jobs: what shows runs in a cell's output, where that takes a widget."""

from jupyter_ra_jobs_widget.panel import Panel

__all__ = ["Panel"]
