"""All faults; importing this enters them into `FAULTS`."""

from tests.faults.catalogue import server as server
