"""Shadow mode in the service: a call that began in it stays in it, also when the key is gone by its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from callme.config import Config, PortalTable
from callme.crm.commands import Click, Heard, Hearing
from callme.crm.intents import Attach, Finish, Register
from callme.service.hearing import Ears
from callme.store import Store, open_store
from callme.web.webhooks import Answer
from tests.calls.played import FOLDER, Case
from tests.service.test_river import config, flow, told

ANSWERED = Case(FOLDER / "plain16" / "in_direct_answered.ami.gz")


def shadowing() -> Config:
    return config().model_copy(update={"portal": (PortalTable(id="main", crm="any", shadow=True),)})


async def marks(store: Store) -> list[bool]:
    return [one.about.shadow for one in await told(store) if isinstance(one, Register | Finish | Attach)]


async def test_every_record_of_a_shadowed_call_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "callme.db")
    await flow(store, ANSWERED.moments, shadowing())
    assert await marks(store) == [True, True, True]
    await store.close()


@pytest.mark.parametrize("began_in_shadow", [True, False])
async def test_a_call_ends_as_it_began_whatever_the_configuration_says_by_then(
    tmp_path: Path, began_in_shadow: bool
) -> None:
    first, second = (shadowing(), config()) if began_in_shadow else (config(), shadowing())
    steps = ANSWERED.moments
    store = open_store(tmp_path / "callme.db")
    cut = 0
    while not await told(store):
        cut += 1
        await store.close()
        store = open_store(tmp_path / f"{cut}.db")
        await flow(store, steps[:cut], first)
    await flow(store, steps[cut:], second)
    assert await marks(store) == [began_in_shadow] * 3
    await store.close()


class Clicked:
    """A portal in which somebody clicked."""

    id = "main"

    async def hear(self, body: bytes, now: float) -> Hearing:
        return Heard(Click("call", "Anna", "101", "+79990000000", now))


async def test_a_click_is_left_to_the_other_connector() -> None:
    """Without a PBX to dial on: a click that was not dropped would fail."""
    ears = Ears(shadowing(), [Clicked()], [], lambda: 1000.0, lambda _: None)  # type: ignore[list-item]
    assert await ears.hear("main", b"") is Answer.TAKEN
