"""The notebook's side of jupyter_ra_jobs: what a kernel shows of runs in a cell's output."""
