"""What was said is written down by a program or a service, once, without the numbers of cards; whatever those
answer, and only of what may leave."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callme.calls.model import RecordingFile, Sound
from callme.config import Transcription
from callme.crm.intents import Attach, CallFacts, Direction, Transcribe
from callme.crm.port import Audio, Later, Refused
from callme.crm.transcript import Line, Side
from callme.service import speech as module
from callme.service import transcriber
from callme.service.speech import Lines, Speech
from callme.wording import Phrase

ENDED = 1_795_500_000.0
CARD = "4111 1111 1111 1111"
TALK = [
    {"side": "left", "start": 0.0, "end": 2.0, "text": f"Карта {CARD}"},
    {"side": "right", "start": 2.0, "end": 3.0, "text": "Спасибо"},
]
SAID = (Line(Side.CUSTOMER, 0.0, 2.0, "Карта ••••"), Line(Side.EMPLOYEE, 2.0, 3.0, "Спасибо"))


def order(kind: Sound = Sound.TALK) -> Transcribe:
    about = CallFacts("office-1.1", Direction.IN, "+79161234567", "", "74950000001", ENDED - 60)
    file = RecordingFile("/monitor/a.wav", "c", "1.1", ENDED - 60, ENDED, kind=kind)
    return Transcribe(about, "office", file.path, ENDED, 0, (file,))


class Room:
    """A service with one recording, and a program that writes it down."""

    def __init__(self, tmp: Path) -> None:
        self.now = ENDED + 60
        self.copies = tmp / "recordings"
        self.tmp = tmp
        file = tmp / "a.mp3"
        file.write_bytes(b"ID3sound")
        self.audio: Audio | Later | Refused = Audio(file, "a.mp3", "audio/mpeg", 9.0, "sum", sides=True)
        self.asked_for: list[Attach] = []
        self.opened: list[Speech] = []

    def program(self, body: str) -> tuple[str, ...]:
        """A transcriber with that body; each of its runs adds a line to `runs`."""
        script = self.tmp / "transcriber.py"
        head = "import json, os, sys, time\nopen(sys.argv[1], 'a').write(' '.join(sys.argv[2:]) + '\\n')\n"
        script.write_text(head + body, encoding="utf-8")
        return (sys.executable, str(script), str(self.tmp / "runs"), "{audio}", "{language}", "{channels}")

    def says(self, answer: Any) -> tuple[str, ...]:
        return self.program(f"sys.stdout.write({json.dumps(answer)!r})")

    @property
    def runs(self) -> list[str]:
        file = self.tmp / "runs"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def open(self, **settings: Any) -> Speech:
        speech = Speech(Transcription(**settings), self._sound, self.copies, lambda: self.now)
        self.opened.append(speech)
        return speech

    async def _sound(self, asked: Attach) -> Audio | Later | Refused:
        self.asked_for.append(asked)
        return self.audio


@pytest_asyncio.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setattr(module, "AT_ONCE_S", 30.0)  # this machine may be busy
    made = Room(tmp_path)
    yield made
    for one in made.opened:
        await one.close()


def why(outcome: Lines | Later | Refused) -> str:
    assert isinstance(outcome, Later | Refused), outcome
    assert outcome.why.say("ru")
    return outcome.why.say("en")


# ----------------------------------------------------------------------------------------------- what is said
async def test_nothing_set_nobody_is_asked(room: Room) -> None:
    assert "switched off" in why(await room.open().prepare(order()))
    assert room.asked_for == []


async def test_a_program_writes_down_who_said_what(room: Room) -> None:
    speech = room.open(command=room.says(TALK), language="ru")
    assert await speech.prepare(order()) == SAID
    assert room.runs == [f"{room.tmp}/a.mp3 ru 2"]
    assert set(room.asked_for) == {order().recording}
    assert await speech.said("office-1.1") == SAID
    assert await speech.said("office-2.1") == ()


async def test_card_numbers_stay_only_where_that_is_wanted(room: Room) -> None:
    lines = await room.open(command=room.says(TALK), redact=False).prepare(order())
    assert isinstance(lines, tuple)
    assert CARD in lines[0].text


async def test_of_a_mono_recording_nobody_knows_who_speaks(room: Room) -> None:
    assert isinstance(room.audio, Audio)
    room.audio = replace(room.audio, sides=False)
    lines = await room.open(command=room.says(TALK)).prepare(order())
    assert isinstance(lines, tuple)
    assert {line.side for line in lines} == {Side.UNKNOWN}
    assert room.runs[0].endswith(" 1")


async def test_a_message_that_was_left_is_the_callers(room: Room) -> None:
    assert isinstance(room.audio, Audio)
    room.audio = replace(room.audio, sides=False)
    lines = await room.open(command=room.says(TALK)).prepare(order(Sound.VOICEMAIL))
    assert isinstance(lines, tuple)
    assert {line.side for line in lines} == {Side.CUSTOMER}


async def test_our_settings_are_not_told_the_program(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLME_PORTAL__main__WEBHOOK", "s3cret")
    shown = "json.dump([{'start': 0, 'end': 1, 'text': name} for name in os.environ], sys.stdout)"
    lines = await room.open(command=room.program(shown)).prepare(order())
    assert isinstance(lines, tuple)
    names = {line.text for line in lines}
    assert "PATH" in names
    assert not [name for name in names if name.startswith("CALLME_")]


# -------------------------------------------------------------------------------------- what may not be heard
@pytest.mark.parametrize(
    "kept",
    [Refused(Phrase("anna keeps it back", "анна не отдаёт")), Later(Phrase("not yet", "ещё нет"), 7.0)],
)
async def test_what_may_not_leave_or_is_not_there_is_not_heard(room: Room, kept: Later | Refused) -> None:
    room.audio = kept
    assert await room.open(command=room.says(TALK)).prepare(order()) is kept
    assert room.runs == []


async def test_a_part_that_is_to_come_is_waited_for(room: Room) -> None:
    assert isinstance(room.audio, Audio)
    room.audio = replace(room.audio, lacking=Phrase("a file", "файл"), again_s=9.0)
    answer = await room.open(command=room.says(TALK)).prepare(order())
    assert isinstance(answer, Later)
    assert answer.wait_s == 9.0
    assert room.runs == []


# ---------------------------------------------------------------------------------------------------- faults
async def test_a_failing_program_is_tried_again_and_then_given_up(room: Room) -> None:
    speech = room.open(command=room.program("sys.exit('no model here')"))
    waits = []
    for _ in range(module.TRIES - 1):
        answer = await speech.prepare(order())
        assert isinstance(answer, Later)
        assert "no model here" in why(answer)
        waits.append(answer.wait_s)
    assert waits == [30.0, 60.0, 120.0, 240.0]
    assert isinstance(await speech.prepare(order()), Refused)
    assert len(room.runs) == module.TRIES
    # A person asks for a retry: it begins anew.
    assert isinstance(await speech.prepare(order()), Later)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("print('Traceback: boom')", "JSON"),
        ("print('[{}]')", "segment 1"),
        ("sys.stdout.buffer.write(bytes(range(256)))", "JSON"),
        ("os.kill(os.getpid(), 11)", "-11"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_tried_again(room: Room, body: str, says: str) -> None:
    answer = await room.open(command=room.program(body)).prepare(order())
    assert isinstance(answer, Later)
    assert says in why(answer)
    assert list(room.copies.glob("*")) == []


async def test_a_program_that_prints_without_end_is_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber, "ANSWER_MAX", 1 << 20)
    answer = await room.open(command=room.program("while True: print('x' * 65536)")).prepare(order())
    assert isinstance(answer, Later)
    assert "longer than 1 MB" in why(answer)


async def test_a_program_that_hangs_is_ended_with_all_it_started(room: Room) -> None:
    child = f"{room.tmp}/child"
    hangs = ("sh", "-c", f"sleep 1000 & echo $! > '{child}'; wait", "{audio}")
    answer = await room.open(command=hangs, limit_s=1).prepare(order())
    assert isinstance(answer, Later)
    assert "not done after 1 s" in why(answer)
    assert _number(child)
    assert not _runs(child)


def _number(file: str) -> str:
    """The number of a process as it wrote it there; empty if it did not come so far."""
    told = Path(file)
    return told.read_text(encoding="ascii").strip() if told.exists() else ""


def _runs(file: str) -> bool:
    try:
        told = Path(f"/proc/{_number(file) or 'none'}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return told.rpartition(")")[2].split()[0] not in "ZX"


async def test_a_program_that_is_not_there_is_waited_for_days(room: Room) -> None:
    speech = room.open(command=("no-such-transcriber", "{audio}"))
    for _ in range(module.TRIES + 1):
        answer = await speech.prepare(order())
        assert isinstance(answer, Later)
        assert answer.wait_s == module.AWAY_S
    assert "no-such-transcriber" in why(answer)
    room.now += 4 * 86_400
    assert isinstance(await speech.prepare(order()), Refused)


async def test_a_copy_that_went_meanwhile_is_asked_for_again(room: Room) -> None:
    assert isinstance(room.audio, Audio)
    room.audio.file.unlink()
    assert isinstance(await room.open(command=room.says(TALK)).prepare(order()), Later)
    assert room.runs == []


# ----------------------------------------------------------------------------------------- somebody says stop
async def test_what_is_kept_back_while_it_is_listened_to_leaves_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.0)
    began, child = room.tmp / "began", f"{room.tmp}/child"
    os.mkfifo(began)
    says = f"echo $$ > '{child}'; echo x > '{began}'; exec sleep 1000"
    speech = room.open(command=("sh", "-c", says, "{audio}"))
    assert "written down" in why(await speech.prepare(order()))
    await asyncio.to_thread(began.read_text)  # the program runs
    assert _runs(child)
    await speech.stop("office-2.1")
    assert _runs(child), "another call's"
    await speech.stop("office-1.1")
    assert not _runs(child)
    assert list(room.copies.glob("*")) == []
    room.audio = Refused(Phrase("anna keeps it back", "анна не отдаёт"))
    assert await speech.prepare(order()) is room.audio


async def test_lines_that_are_being_written_when_somebody_says_stop_are_taken_away(room: Room) -> None:
    speech = room.open(command=room.says(TALK))
    stopped = asyncio.Event()
    loop, keep = asyncio.get_running_loop(), speech._keep

    def late(call: str, mark: str, lines: object) -> None:
        stopping = asyncio.run_coroutine_threadsafe(_begin_to_stop(), loop)
        stopping.result(30)  # it waits for us by now
        keep(call, mark, lines)

    async def _begin_to_stop() -> None:
        ending.append(asyncio.ensure_future(speech.stop("office-1.1")))
        await asyncio.sleep(0)
        stopped.set()

    ending: list[asyncio.Future[None]] = []
    speech._keep = late  # type: ignore[method-assign]
    answer = await speech.prepare(order())
    await ending[0]
    assert stopped.is_set()
    assert "stopped" in why(answer)
    assert list(room.copies.glob("*")) == []
    assert await speech.said("office-1.1") == ()


async def test_kept_back_between_the_hearing_and_the_handing_over(room: Room) -> None:
    kept = Refused(Phrase("anna keeps it back", "анна не отдаёт"))
    speech = room.open(command=room.says(TALK))
    heard = speech._heard

    async def then_kept_back(*args: Any) -> Any:
        found = await heard(*args)
        room.audio = kept
        return found

    speech._heard = then_kept_back  # type: ignore[method-assign]
    assert await speech.prepare(order()) is kept
    assert await speech.said("office-1.1") == ()
    assert list(room.copies.glob("*")) == []


# ----------------------------------------------------------------------------- turns, restart, what is kept
async def test_nobody_waits_for_a_slow_program_and_two_take_turns(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.0)
    gate = room.tmp / "gate"
    os.mkfifo(gate)
    speech = room.open(command=room.program(f"open({str(gate)!r}).read(); print(json.dumps({TALK!r}))"))
    assert isinstance(room.audio, Audio)
    first, second = room.audio, replace(room.audio, checksum="other")
    await _until(speech, lambda said: said == "being written down" and len(room.runs) == 1)
    room.audio = second
    assert "waiting for its turn" in why(await speech.prepare(order()))
    assert len(room.runs) == 1
    for one in (first, second):
        room.audio = one
        writer = await asyncio.to_thread(gate.open, "w")  # opens when the program reads
        writer.close()
        await _until(speech, lambda said: said == "")
    assert len(room.runs) == 2


async def _until(speech: Speech, met: Callable[[str], bool]) -> None:
    """Asks until the answer is that; lines are an empty one."""
    async with asyncio.timeout(30):
        while True:
            answer = await speech.prepare(order())
            if met("" if isinstance(answer, tuple) else why(answer)):
                return
            await asyncio.sleep(0.01)


async def test_what_was_written_down_is_not_heard_twice_also_after_a_restart(room: Room) -> None:
    command = room.says(TALK)
    assert await room.open(command=command).prepare(order()) == SAID
    assert await room.open(command=command).prepare(order()) == SAID
    assert len(room.runs) == 1
    (kept,) = room.copies.glob("*.lines.json")
    assert "4111" not in kept.read_text(encoding="utf-8")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text('[{"side": "cust', encoding="utf-8")  # half of it, as no crash of ours leaves it
    assert await room.open(command=command).prepare(order()) == SAID
    assert len(room.runs) == 2


async def test_a_stop_ends_the_program_and_a_restart_begins_anew(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.0)
    pid = f"{room.tmp}/pid"
    slow = room.program(f"open({pid!r}, 'w').write(str(os.getpid())); time.sleep(1000)")
    speech = room.open(command=slow)
    await _until(speech, lambda said: said == "being written down" and len(room.runs) == 1)
    await speech.close()
    assert not _runs(pid)
    await _until(room.open(command=room.says(TALK)), lambda said: said == "")
    assert len(room.runs) == 2


async def test_a_full_disk_is_waited_out(room: Room) -> None:
    room.copies.write_bytes(b"")  # no folder can be made there
    answer = await room.open(command=room.says(TALK)).prepare(order())
    assert isinstance(answer, Later)
    assert str(room.copies) in why(answer)


# ----------------------------------------------------------------------------------------------- by a service
class Server:
    """A transcription service: answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes] = (200, json.dumps(TALK).encode())
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        if "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        else:
            body = await reader.readuntil(b"\r\n0\r\n\r\n")
        self.heads.append(head)
        self.bodies.append(body)
        status, said = self.answer
        if status:
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + said)
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    yield made, f"http://127.0.0.1:{port}/hear?model=small"
    listening.close()
    await listening.wait_closed()


async def test_a_service_gets_the_recording_and_its_answer_is_read(
    room: Room, server: tuple[Server, str]
) -> None:
    heard, url = server
    speech = room.open(url=url, token="t0ken", language="ru")
    assert await speech.prepare(order()) == SAID
    (head,) = heard.heads
    assert head.startswith("POST /hear?model=small&channels=2&language=ru HTTP/1.1")
    assert "authorization: bearer t0ken" in head.lower()
    assert b'name="file"; filename="a.mp3"' in heard.bodies[0]
    assert b"ID3sound" in heard.bodies[0]


@pytest.mark.parametrize(
    ("status", "kind", "wait_s"),
    [
        (401, Later, 300.0),
        (429, Later, 300.0),
        (503, Later, 300.0),
        (302, Later, 300.0),
        (500, Later, 30.0),
        (0, Later, 30.0),  # no answer at all
        (413, Refused, None),
        (422, Refused, None),
    ],
)
async def test_what_a_service_cannot_do_now_is_asked_again(
    room: Room, server: tuple[Server, str], status: int, kind: type, wait_s: float | None
) -> None:
    heard, url = server
    heard.answer = (status, b"no \x1b[31mluck")
    answer = await room.open(url=url, token="t0ken").prepare(order())
    assert isinstance(answer, kind)
    assert "t0ken" not in why(answer)
    assert str(status or "connection broke") in why(answer)
    assert not isinstance(answer, Later) or answer.wait_s == wait_s


async def test_a_service_that_is_not_there_is_asked_again(room: Room, server: tuple[Server, str]) -> None:
    answer = await room.open(url="http://127.0.0.1:9/").prepare(order())
    assert isinstance(answer, Later)
    assert "refuses the connection" in why(answer)
