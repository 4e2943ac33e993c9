"""What Prometheus sees of us, on the `/metrics` of Jupyter: counted as it happens, or looked up when it asks.

No label ever holds a word of a user's.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jupyter_ra_jobs.errors import RaJobsError

LAUNCHES = Counter("ra_jobs_launches", "Sidecars that were started, second tries included")
LAUNCH_FAILURES = Counter("ra_jobs_launch_failures", "Launches that failed")
LOST_SIDECARS = Counter("ra_jobs_lost_sidecars", "Runs that the server ended, for want of a sidecar that did")
REPORTS = Counter("ra_jobs_reports", "Reports of a run's status that came over HTTP")
TICK_SECONDS = Histogram("ra_jobs_tick_seconds", "What a tick of the scheduler took, launches included")


def show_runs(counts: Callable[[], Mapping[str, int]]) -> Callable[[], None]:
    """Have `counts`, by status, asked at each scrape, in this thread alone; until the returned call."""
    collector = _Runs(counts)
    REGISTRY.register(collector)
    return lambda: REGISTRY.unregister(collector)


class _Runs(Collector):
    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts
        self._thread = threading.get_ident()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Its name, so that nothing is counted to find it out."""
        return [GaugeMetricFamily("ra_jobs_runs", "Runs by status", labels=["status"])]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """As the store has it now; nothing when it can't say: the page of all others stays whole."""
        if threading.get_ident() != self._thread:  # the store is the event loop's alone
            return []
        try:
            counted = self._counts()
        except RaJobsError:
            return []
        (family,) = self.describe()
        for status, number in counted.items():
            family.add_metric([status], number)
        return [family]
