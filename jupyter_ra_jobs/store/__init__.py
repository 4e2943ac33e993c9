"""What is kept on disk: the only SQL. One database, a class a table."""

from jupyter_ra_jobs.store.bulk import Copy
from jupyter_ra_jobs.store.database import SCHEMA_VERSION
from jupyter_ra_jobs.store.queue import Next
from jupyter_ra_jobs.store.runs import Store
from jupyter_ra_jobs.store.slices import in_slices
from jupyter_ra_jobs.store.sweeps import SweepCount

__all__ = ["SCHEMA_VERSION", "Copy", "Next", "Store", "SweepCount", "in_slices"]
