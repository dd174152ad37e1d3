"""First match wins; with one portal and no route everything goes there; no match is said, not guessed."""

from __future__ import annotations

import pytest

from callme.config import Config, Pbx, PortalTable, Route
from callme.crm.routing import Verdict, verdict


def _config(*routes: Route, portals: tuple[str, ...] = ("a", "b")) -> Config:
    return Config(
        pbx=(Pbx(id="office", secret="s"), Pbx(id="shop", secret="s")),  # type: ignore[arg-type]
        portal=tuple(PortalTable(id=name, crm="some") for name in portals),
        route=routes,
    )


def test_the_only_portal_needs_no_route() -> None:
    assert verdict(_config(portals=("a",)), "office", "7495") == Verdict("a")


def test_without_any_match_the_call_is_unrouted() -> None:
    assert verdict(_config(Route(line="1", portal="a")), "office", "2") == Verdict(None)
    assert verdict(_config(portals=()), "office", "2") == Verdict(None)


@pytest.mark.parametrize(
    ("pbx", "line", "expected"),
    [
        ("office", "74950000001", Verdict("a", 1)),
        ("office", "+7 (495) 000-00-01", Verdict("a", 1)),
        ("shop", "74950000001", Verdict("b", 3)),
        ("shop", "pjsip/TRUNK-1", Verdict("a", 2)),
        ("office", "", Verdict("b", 3)),
    ],
)
def test_the_first_route_that_matches_wins(pbx: str, line: str, expected: Verdict) -> None:
    config = _config(
        Route(pbx="office", line="74950000001", portal="a"),
        Route(line="PJSIP/trunk-1", portal="a"),
        Route(portal="b"),
    )
    assert verdict(config, pbx, line) == expected


def test_a_line_is_one_line_however_it_is_written() -> None:
    config = _config(Route(line="8 (495) 000-00-03", portal="b"))
    assert verdict(config, "office", "74950000003") == Verdict("b", 1)
    assert verdict(config, "office", "74950000004") == Verdict(None)
