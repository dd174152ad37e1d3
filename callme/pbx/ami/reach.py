"""How to reach a configured PBX over AMI: for the service, `callme check`, `callme record` and their like."""

from __future__ import annotations

from callme.config import Pbx
from callme.pbx.ami.session import AmiSettings


def ami_settings(pbx: Pbx) -> AmiSettings:
    """Address and account of the PBX."""
    return AmiSettings(pbx.host, pbx.port, pbx.username, pbx.secret.get_secret_value(), pbx.tls)
