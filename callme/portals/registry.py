"""Finds the folder of a CRM by its name, so that no CRM's word stands outside its folder.

The shell plans each `[[portal]]` (which checks its keys), makes the budget that the plan's pace asks for,
and opens the portal with it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Protocol, cast

import httpx2

from callme import portals
from callme.config.problems import Problem, refusal, unknown
from callme.crm.asking import Way
from callme.crm.installation import Home
from callme.crm.moving import Mover
from callme.crm.policy import Rules
from callme.crm.port import Gate, Portal
from callme.wording import Phrase

_ANYWHERE = Home()


class PortalSettings(Protocol):
    """What any CRM's settings tell the shell: the pace of requests that the CRM allows by itself, and what
    the portal shall hear of a call."""

    @property
    def requests_per_second(self) -> float: ...

    @property
    def burst(self) -> int: ...

    @property
    def rules(self) -> Rules: ...


class Folder(Protocol):
    """What a CRM's package offers."""

    def read(self, portal: str, table: Mapping[str, Any], source: str, base: Path) -> PortalSettings: ...

    def open_portal(
        self,
        id: str,
        settings: Any,
        gate: Gate,
        zone: tzinfo,
        transport: httpx2.AsyncBaseTransport | None = None,
        home: Home | None = None,
    ) -> Portal: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A portal whose configuration is sound, not opened yet. `requests_per_second` and `burst` size its
    gate; `home` is where it lives."""

    id: str
    crm: str
    requests_per_second: float
    burst: int
    settings: PortalSettings = field(repr=False)
    home: Home = _ANYWHERE

    @property
    def rules(self) -> Rules:
        """How `crm.policy` decides for this portal."""
        return self.settings.rules

    def open(self, gate: Gate, zone: tzinfo, transport: httpx2.AsyncBaseTransport | None = None) -> Portal:
        """Opens the portal; nothing is asked of it yet."""
        return _folder(self.crm).open_portal(self.id, self.settings, gate, zone, transport, self.home)


def known() -> list[str]:
    """The CRMs that there are folders for."""
    return sorted(module.name for module in pkgutil.iter_modules(portals.__path__) if module.ispkg)


def ways(crm: str) -> tuple[Way, ...]:
    """The ways to reach that CRM which the set-up can ask for; none where its keys are written by hand."""
    found: tuple[Way, ...] = getattr(_folder(crm), "WAYS", ())
    return found


def plan(
    crm: str,
    id: str,
    table: Mapping[str, Any],
    *,
    source: str = "callme.toml",
    base: Path = Path(),
    home: Home = _ANYWHERE,
) -> Plan:
    """Checks a portal's table. `ConfigError` names an unknown CRM, or everything wrong with the CRM's own
    keys."""
    if crm not in known():
        key = f"portal.{id}.crm"
        cure = unknown(key, crm, known()).cure
        raise refusal([Problem(key, _no_such_crm(crm), cure)], source)
    settings = _folder(crm).read(id, table, source, base)
    return Plan(id, crm, settings.requests_per_second, settings.burst, settings, home)


def movers() -> dict[str, Mover]:
    """The older connectors that some CRM's folder knows how to move over from, by their names."""
    found: dict[str, Mover] = {}
    for crm in known():
        found |= getattr(_folder(crm), "movers", {})
    return found


def open_portal(
    crm: str,
    id: str,
    table: Mapping[str, Any],
    *,
    gate: Gate,
    zone: tzinfo,
    source: str = "callme.toml",
    base: Path = Path(),
    transport: httpx2.AsyncBaseTransport | None = None,
    home: Home = _ANYWHERE,
) -> Portal:
    """Plans and opens in one step, for callers that have a gate already."""
    return plan(crm, id, table, source=source, base=base, home=home).open(gate, zone, transport)


def _folder(crm: str) -> Folder:
    return cast(Folder, importlib.import_module(f"{portals.__name__}.{crm}"))


def _no_such_crm(crm: str) -> Phrase:
    return Phrase("there is no CRM “{crm}”", "CRM «{crm}» нет").given(crm=crm)
