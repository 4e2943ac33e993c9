"""What is kept on disk: the only SQL. One database, a class a table."""

from jupyter_ra_jobs.store.database import SCHEMA_VERSION
from jupyter_ra_jobs.store.queue import Next
from jupyter_ra_jobs.store.runs import Copy, Store
from jupyter_ra_jobs.store.sweeps import SweepCount

__all__ = ["SCHEMA_VERSION", "Copy", "Next", "Store", "SweepCount"]
