"""The running service: PBX links, calls, portals and pages joined in one process."""

from callme.service.checking import check_all, read_channels
from callme.service.running import Service, run

__all__ = ["Service", "check_all", "read_channels", "run"]
