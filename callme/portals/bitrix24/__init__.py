"""Bitrix24, cloud and self-hosted, over an incoming webhook or as a local application.

`callme.portals.registry` finds this folder by its name and asks it for these: `read` checks a portal's own
configuration keys, `open_portal` makes the portal, `movers` know older connectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

import httpx2

from callme.crm.installation import Home
from callme.crm.moving import Mover
from callme.crm.port import Gate, Portal
from callme.portals.bitrix24.adapter import Bitrix24
from callme.portals.bitrix24.asking import WAYS
from callme.portals.bitrix24.callme.moving import OldCallMe
from callme.portals.bitrix24.settings import Settings, read

__all__ = ["WAYS", "Bitrix24", "Settings", "movers", "open_portal", "read"]

movers: Mapping[str, Mover] = {"callme": OldCallMe()}


def open_portal(
    id: str,
    settings: Settings,
    gate: Gate,
    zone: tzinfo,
    transport: httpx2.AsyncBaseTransport | None = None,
    home: Home | None = None,
) -> Portal:
    """The portal behind these settings, with `home` for what it must keep. Nothing is asked of it yet.
    `ConfigError` for an unusable `ca_file`."""
    return Bitrix24(id, settings, gate, zone, transport=transport, home=home)
