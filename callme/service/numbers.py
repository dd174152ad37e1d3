"""One PBX's numbers from both sources: what the configuration says outranks what the PBX told of itself."""

from __future__ import annotations

from callme.calls.numbering import Numbering, NumberRule
from callme.config import Config, Pbx
from callme.pbx.port import Directory


def numbering_of(config: Config, pbx: Pbx, directory: Directory) -> Numbering:
    """The PBX's numbers as configuration and discovery know them."""
    return Numbering(
        country=config.service.country,
        trunks=tuple(pbx.trunks),
        extensions=tuple(pbx.extensions),
        devices=dict(directory.devices),
        known_extensions=frozenset(directory.names),
        known_trunks=frozenset(directory.trunks),
        shared=frozenset((*directory.queues, *directory.groups)),
        rules=tuple(NumberRule(one.trunk, one.strip, one.add, one.digits) for one in pbx.numbers),
    )
