"""The running service: PBX links, calls, portals and pages joined in one process."""

from callme.service.checking import check_all, check_portals, read_channels
from callme.service.running import Service, run

__all__ = ["Service", "check_all", "check_portals", "read_channels", "run"]
