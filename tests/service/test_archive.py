"""What the pages hear, what is kept from portals, and what is forgotten with a number."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callme.calls.model import Call, RecordingFile, Talk
from callme.config import Service, Transcription
from callme.crm import policy
from callme.crm.intents import Attach, Transcribe
from callme.crm.port import Audio, Later, Refused
from callme.crm.transcript import Line, Side
from callme.pbx.segments import SegmentFile, stamp
from callme.service.archive import Archive
from callme.service.speech import Speech
from callme.store import CallFilter, Store, open_store
from callme.web.archive import KeptBack, NoSound, Sound
from callme.wording import Phrase
from tests.store.making import call, step

AT = 1_795_600_000.0
FILE = "/var/spool/asterisk/monitor/in-101.wav"
BUSY = Phrase("being converted", "преобразуется")
CLOCK = {"now": AT + 100}


def recorded(name: str = "office-1.1", **changed: object) -> Call:
    """A call of a minute, of which fifty seconds were talked and recorded."""
    talk = Talk("101", AT + 10, AT + 60)
    file = RecordingFile(FILE, "1.1", "PJSIP/trunk-1", AT + 10, AT + 60)
    made = call(name, AT, ended_at=AT + 60, talks=(talk,), recordings=(file,))
    return replace(made, **changed)  # type: ignore[arg-type]


class Maker:
    """Prepares what it was told to."""

    def __init__(self, folder: Path) -> None:
        self.orders: list[Attach] = []
        self.answer: Audio | Later | Refused = Audio(folder / "made.mp3", "in-101.mp3", "audio/mpeg", 50.0)

    async def prepare(self, order: Attach) -> Audio | Later | Refused:
        self.orders.append(order)
        return self.answer


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "callme.db")
    yield store
    await store.close()


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture
def archive(tmp_path: Path, store: Store, maker: Maker) -> Archive:
    return Archive(Service(data_dir=tmp_path), store, maker.prepare, lambda: CLOCK["now"])


async def test_the_page_hears_what_a_portal_gets(archive: Archive, store: Store, maker: Maker) -> None:
    await store.commit(step(calls=(recorded(),)))
    found = await archive.sound("office-1.1")
    assert isinstance(found, Sound)
    assert (found.name, found.media_type) == ("in-101.mp3", "audio/mpeg")
    assert maker.orders == [policy.attach_of(recorded())]
    assert maker.orders[0].files[0].path == FILE


async def test_why_nothing_is_heard(archive: Archive, store: Store, maker: Maker) -> None:
    silent = recorded("office-2.1", recordings=())
    open_ = recorded("office-3.1", ended_at=None)
    await store.commit(step(calls=(recorded(), silent, open_)))
    assert await archive.sound("office-9.9") is None
    assert await archive.sound("office-2.1") == NoSound(Phrase(*_words("this call was not recorded")))
    waits = await archive.sound("office-3.1")
    assert isinstance(waits, NoSound)
    assert waits.wait_s
    maker.answer = Later(BUSY, 2.0)
    assert await archive.sound("office-1.1") == NoSound(BUSY, 2.0)


def _words(english: str) -> tuple[str, str]:
    return english, "этот звонок не записывался"


async def test_what_is_kept_back_goes_to_no_portal_and_is_still_heard_here(
    archive: Archive, store: Store, maker: Maker
) -> None:
    await store.commit(step(calls=(recorded(),)))
    order = policy.attach_of(recorded())
    assert order is not None
    assert isinstance(await archive.for_portal(order), Audio)
    assert await archive.keep_back("office-1.1", "anna")
    assert not await archive.keep_back("office-9.9", "anna")
    refused = await archive.for_portal(order)
    assert isinstance(refused, Refused)
    assert "anna" in refused.why.say("en")
    assert await archive.kept_back("office-1.1") == KeptBack(AT + 100, "anna")
    assert isinstance(await archive.sound("office-1.1"), Sound)


async def test_who_asks_to_be_forgotten_is(archive: Archive, store: Store, tmp_path: Path) -> None:
    other = replace(recorded("office-2.1"), number="+79260000000")
    mine = replace(recorded(), number="+79261112233", external="89261112233", name='Иван "Ваня" Незабудкин')
    await store.commit(step(calls=(mine, other)))
    folder = tmp_path / "transcripts" / "office"
    folder.mkdir(parents=True)
    segment = SegmentFile(folder / f"{stamp(AT)}.ami", AT)
    name = r"Иван \"Ваня\" Незабудкин"
    said = f"CallerIDNum: 9261112233\r\nCallerIDName: {name}\r\nExten: 79260000000\r\n\r\n"
    segment.write(AT, said.encode(), fresh=True, asked=None)
    segment.close()
    copies = [tmp_path / "recordings" / name for name in ("before.mp3", "mine.mp3")]
    copies[0].parent.mkdir()
    for file, at in zip(copies, (AT - 1, AT + 70), strict=True):
        file.write_bytes(b"x")
        os.utime(file, (at, at))
    assert await archive.forget("8 (926) 000-00-01") == 0
    assert await archive.forget("8 (926) 111-22-33") == 1
    left = (await store.reading.list_calls(CallFilter(), limit=9)).calls
    assert [str(one.id) for one in left] == ["office-2.1"]
    (file,) = folder.glob("*.ami")
    text = file.read_text(encoding="utf-8")
    assert "9261112233" not in text
    assert "Незабудкин" not in text
    assert "79260000000" in text
    assert [file.exists() for file in copies] == [True, False]


async def test_listeners_are_kept_with_the_time(archive: Archive) -> None:
    await archive.listened("office-1.1", "leo", "10.0.0.9")
    (heard,) = await archive.listeners("office-1.1")
    assert (heard.at, heard.who, heard.address) == (AT + 100, "leo", "10.0.0.9")


async def test_who_goes_on_listening_is_noted_once_for_a_sitting(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.listened("office-1.1", "leo", "10.0.0.9")
    await archive.listened("office-1.1", "leo", "10.0.0.9")
    await archive.listened("office-1.1", "eva", "10.0.0.9")
    monkeypatch.setitem(CLOCK, "now", AT + 1000)
    await archive.listened("office-1.1", "leo", "10.0.0.9")
    assert [one.who for one in await archive.listeners("office-1.1")] == ["leo", "eva", "leo"]


async def test_what_a_person_keeps_back_is_not_written_down(
    archive: Archive, store: Store, maker: Maker, tmp_path: Path
) -> None:
    await store.commit(step(calls=(recorded(),)))
    await archive.keep_back("office-1.1", "anna")
    order = policy.attach_of(recorded())
    assert order is not None
    listens = Transcription(command=("sh", "-c", f"touch '{tmp_path}/heard'", "{audio}"))
    speech = Speech(listens, archive.for_portal, tmp_path, lambda: CLOCK["now"])
    said = await speech.prepare(
        Transcribe(order.about, order.pbx, order.path, order.ended_at, 0, order.files)
    )
    await speech.close()
    assert isinstance(said, Refused)
    assert "anna" in said.why.say("en")
    assert maker.orders == []
    assert "heard" not in os.listdir(tmp_path)


class Room:
    """Where recordings are made and written down: what it was told to end, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def stop(self, call: str) -> None:
        self.told.append(("stop", call))

    async def forget(self, call: str) -> None:
        self.told.append(("forget", call))

    async def said(self, call: str) -> tuple[Line, ...]:
        return (Line(Side.CUSTOMER, 0.0, 1.0, "Алло"),)


async def test_keeping_back_ends_what_is_being_made_of_it(archive: Archive, store: Store) -> None:
    archive.workshop, archive.scribe = Room(), Room()
    await store.commit(step(calls=(recorded(),)))
    await archive.keep_back("office-1.1", "anna")
    assert archive.workshop.told == archive.scribe.told == [("stop", "office-1.1")]
    assert len(await archive.said("office-1.1")) == 1


async def test_kept_back_while_it_is_prepared(archive: Archive, store: Store, maker: Maker) -> None:
    await store.commit(step(calls=(recorded(),)))
    order = policy.attach_of(recorded())
    assert order is not None
    prepare = archive._prepare

    async def then_kept_back(asked: Attach) -> Audio | Later | Refused:
        found = await prepare(asked)
        await archive.keep_back("office-1.1", "anna")
        return found

    archive._prepare = then_kept_back
    assert isinstance(await archive.for_portal(order), Refused)


async def test_forgetting_ends_what_is_being_made_before_traces_go(archive: Archive, store: Store) -> None:
    mine = replace(recorded(), number="+79261112233", external="89261112233")
    archive.workshop, archive.scribe = Room(), Room()
    await store.commit(step(calls=(mine,)))
    assert await archive.forget("+79261112233") == 1
    assert archive.workshop.told == [("forget", "office-1.1")]
    assert archive.scribe.told == [("stop", "office-1.1")]
