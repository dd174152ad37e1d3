"""The service, its database, and what waits in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.config import Config, Pbx, PortalTable, Service
from callme.setup.doctor import outbox
from callme.setup.doctor.signs import Level
from callme.store import Backlog, open_store
from callme.wording import plain


def config(folder: Path) -> Config:
    return Config(service=Service(data_dir=folder, listen="127.0.0.1:1"), pbx=(Pbx(id="office", secret="x"),))


@pytest.mark.parametrize(
    ("backlog", "levels", "words"),
    [
        (Backlog("main", 0, 0, None, None), [Level.WELL], "nothing"),
        (Backlog("main", 3, 0, 990.0, None), [Level.WELL], "nothing"),  # ten seconds old: on its way
        (Backlog("main", 3, 0, 400.0, None), [Level.ILL], "3 wait, the oldest for 10 min"),
        (Backlog("main", 0, 2, None, None), [Level.ILL], "2 refused"),
        (Backlog("main", 1, 1, 0.0, plain("no rights")), [Level.ILL] * 3, "no rights"),
    ],
)
def test_what_waits(backlog: Backlog, levels: list[Level], words: str) -> None:
    signs = outbox.waiting(backlog, 1000.0)
    assert [sign.level for sign in signs] == levels
    assert words in " ".join(sign.found.say("en") for sign in signs)


async def test_a_database_that_is_not_there_yet_and_one_that_is_sound(tmp_path: Path) -> None:
    service, database = await outbox.examine(config(tmp_path))
    assert (service.level, database.level) == (Level.HINT, Level.HINT)
    await open_store(config(tmp_path).service.store).close()
    _, database = await outbox.examine(config(tmp_path))
    assert database.level is Level.WELL


async def test_a_portal_that_was_never_told_anything_has_nothing_to_wait_for(tmp_path: Path) -> None:
    await open_store(config(tmp_path).service.store).close()
    portal = PortalTable(id="main", crm="bitrix24")
    here = config(tmp_path).model_copy(update={"portal": (portal,)})
    *_, waits = await outbox.examine(here)
    assert (waits.level, waits.found.say("en")) == (Level.WELL, "nothing")
    assert "“main”" in waits.topic.say("en")


async def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    await open_store(config(tmp_path).service.store).close()
    file = tmp_path / "callme.db"
    pages = bytearray(file.read_bytes())
    pages[8192:16384] = b"\xff" * 8192
    file.write_bytes(pages)
    _, database = await outbox.examine(config(tmp_path))
    assert database.level is Level.ILL
    assert str(file) in database.topic.say("en") + database.found.say("en")
