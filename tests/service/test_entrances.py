"""Requests at an older connector's address, handed to the portal that knows their sender."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from callme.crm.commands import Foreign, Heard, Hearing
from callme.crm.doors import Knock, Reply, TurnedAway, Welcome
from callme.service.entrances import Entrances
from callme.web.webhooks import Answer
from callme.wording import Phrase

CURE = Phrase("let {source} in", "впустите {source}")


class Portal:
    """Lets in who names it."""

    doors = ("Old.php",)

    def __init__(self, id: str, hearing: Hearing | None = None) -> None:
        self.id = id
        self.hearing = hearing

    async def answer(self, knock: Knock, now: float) -> Reply:
        if knock.fields.get("who") == self.id:
            return Welcome(f"{self.id} says", self.hearing)
        return TurnedAway(CURE.given(source=knock.source))


class Doorless:
    id = "other"


def entrances(*portals: Any) -> tuple[Entrances, list[tuple[str, Hearing]]]:
    heeded: list[tuple[str, Hearing]] = []

    async def heed(portal: str, hearing: Hearing) -> Answer:
        heeded.append((portal, hearing))
        return Answer.TROUBLE

    return Entrances(portals, heed, lambda: 1.0), heeded


async def test_the_portal_that_knows_the_sender_answers() -> None:
    doors, heeded = entrances(Doorless(), Portal("main"), Portal("second"))
    assert doors.names == {"Old.php"}
    assert await doors.knock("Old.php", {"who": "second"}, "") == (Answer.TAKEN, "second says")
    assert heeded == []


async def test_what_it_heard_is_seen_to() -> None:
    doors, heeded = entrances(Portal("main", Heard()))
    assert await doors.knock("Old.php", {"who": "main"}, "") == (Answer.TROUBLE, "main says")
    assert heeded == [("main", Heard())]
    assert not isinstance(heeded[0][1], Foreign)


async def test_a_stranger_is_turned_away_with_a_line_that_names_the_cure() -> None:
    doors, _ = entrances(Portal("main"))
    with capture_logs() as logs:
        assert await doors.knock("Old.php", {"who": "?", "secret": "s3cret"}, "192.0.2.7") == (
            Answer.FOREIGN,
            "",
        )
    assert [(one["log_level"], one["cure"], one["portal"]) for one in logs] == [
        ("warning", "let 192.0.2.7 in", "main")
    ]
    assert "s3cret" not in str(logs)
