"""All faults; importing this enters them into `FAULTS`."""

from tests.faults.catalogue import callers as callers
from tests.faults.catalogue import clocks as clocks
from tests.faults.catalogue import disk as disk
from tests.faults.catalogue import processes as processes
from tests.faults.catalogue import server as server
