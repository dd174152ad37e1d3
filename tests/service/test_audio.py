"""What a worker gets when it asks for the sound of a call: the right pieces of the right files, or the reason
why not yet; whatever happens to files, disk and process meanwhile."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from callme.calls.model import RecordingFile, Sound
from callme.config.shape import Config, Pbx, Service
from callme.crm.intents import Attach, CallFacts, Direction
from callme.crm.port import Audio, Later, Refused
from callme.pbx.audio import measure
from callme.service import audio as module
from callme.service.audio import Recordings
from tests.pbx.test_mp3 import install, sine, tones
from tests.pbx.test_recordings import SPEECH, wav

ROOT = "/var/spool/asterisk/monitor"
BOXES = "/var/spool/asterisk/voicemail"
BEGAN = 1_795_500_000.0


class Office:
    """A PBX's folders as this machine sees them, and one service that prepares recordings."""

    def __init__(self, tmp: Path) -> None:
        self.monitor, self.boxes, self.data = tmp / "monitor", tmp / "voicemail", tmp / "var"
        for folder in (self.monitor, self.boxes):
            (folder / "lost+found").mkdir(parents=True)
        self.now = BEGAN + 100
        self.pbx = Pbx(
            id="office",
            secret="a",
            recordings=str(self.monitor),
            voicemail=str(self.boxes),
        )
        self.started: list[Recordings] = []
        self.start()

    def start(self) -> Recordings:
        """The service, or the next one after a restart."""
        config = Config(service=Service(data_dir=self.data), pbx=(self.pbx,))
        self.recordings = Recordings(config, lambda: self.now)
        self.started.append(self.recordings)
        return self.recordings

    def file(self, name: str, seconds: float, hertz: int = 400, age: float = 50.0) -> Path:
        made = sine(self.monitor / name, hertz, seconds)
        os.utime(made, (self.now - age, self.now - age))
        return made

    def order(self, *files: RecordingFile, talk_s: float = 10.0, lost: bool = False) -> Attach:
        about = CallFacts("office-1.1", Direction.IN, "+79161234567", "", "74950000001", BEGAN)
        over = BEGAN + 2 + talk_s
        return Attach(about, "office", files[0].path, over, 0, files, BEGAN + 2, lost)

    async def made(self, *files: RecordingFile, talk_s: float = 10.0, lost: bool = False) -> Audio:
        done = await self.recordings.prepare(self.order(*files, talk_s=talk_s, lost=lost))
        assert isinstance(done, Audio), done
        return done


def talk(name: str, *stretches: tuple[float, float]) -> RecordingFile:
    """A file of these stretches of the call, in seconds after its beginning."""
    parts = tuple((BEGAN + since, BEGAN + until) for since, until in stretches)
    return RecordingFile(f"{ROOT}/{name}", "c", "1.1", parts[0][0] - 1, parts[-1][1], parts, parts)


@pytest_asyncio.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(module, "AT_ONCE_S", 30.0)  # this machine may be busy
    made = Office(tmp_path)
    yield made
    for one in made.started:
        await one.close()


async def test_one_file_becomes_one_mp3(office: Office) -> None:
    original = office.file("a.wav", 10)
    before = original.read_bytes()
    done = await office.made(talk("a.wav", (2, 12)))
    assert (done.name, done.media_type, done.lacking) == ("a.mp3", "audio/mpeg", None)
    assert done.seconds == pytest.approx(10, abs=0.2)
    assert len(done.checksum) == 64
    assert original.read_bytes() == before


async def test_talk_in_two_files_is_joined_in_its_order_and_told_once(office: Office) -> None:
    office.file("first.wav", 4, 400)
    office.file("second.wav", 5, 1000)
    office.file("half.wav", 5, 1000)
    done = await office.made(
        talk("second.wav", (7, 12)), talk("half.wav", (7, 12)), talk("first.wav", (2, 6))
    )
    assert done.seconds == pytest.approx(9, abs=0.2)
    (heard,) = await tones(done.file)
    assert heard[1] == pytest.approx(400, abs=20)
    assert heard[-3] == pytest.approx(1000, abs=20)


async def test_what_only_rang_is_no_recording(office: Office) -> None:
    office.file("answered.wav", 5)
    (office.monitor / "rang.wav").write_bytes(wav(b""))
    os.utime(office.monitor / "rang.wav", (office.now - 50, office.now - 50))
    done = await office.made(talk("rang.wav", (2, 7)), talk("answered.wav", (2, 7)), talk_s=5)
    assert done.seconds == pytest.approx(5, abs=0.2)
    refused = await office.recordings.prepare(office.order(talk("rang.wav", (2, 7))))
    assert isinstance(refused, Refused)
    assert "44" in refused.why.say("en")


async def test_both_directions_make_a_stereo_recording(office: Office) -> None:
    office.file("a.wav", 5, 700)
    office.file("a-in.wav", 5, 400)
    office.file("a-out.wav", 5, 1000)
    done = await office.made(talk("a.wav", (2, 7)), talk_s=5)
    left, right = await tones(done.file)
    assert [left[3], right[3]] == pytest.approx([400, 1000], abs=20)
    assert done.sides
    again = await office.made(talk("a.wav", (2, 7)), talk_s=5)
    assert (again.file, again.sides) == (done.file, True)


async def test_who_speaks_is_known_only_where_all_of_it_was_kept_apart(office: Office) -> None:
    office.file("first.wav", 4)
    assert not (await office.made(talk("first.wav", (2, 6)), talk_s=4)).sides
    office.file("second.wav", 5)
    office.file("second-in.wav", 5, 400)
    office.file("second-out.wav", 5, 1000)
    assert not (await office.made(talk("second.wav", (7, 12)), talk("first.wav", (2, 6)))).sides


async def test_a_late_file_is_waited_for_and_the_better_sound_follows(office: Office) -> None:
    first, second = talk("first.wav", (2, 6)), talk("second.wav", (7, 12))
    office.now = BEGAN + 20
    office.file("first.wav", 4, age=5)
    waiting = await office.recordings.prepare(office.order(first, second))
    assert isinstance(waiting, Later)
    assert "second.wav" in waiting.why.say("ru")
    office.now = BEGAN + 300
    part = await office.made(first, second)
    assert part.lacking is not None
    assert part.again_s >= 60
    same = await office.made(first, second)
    assert same.checksum == part.checksum
    office.file("second.wav", 5)
    whole = await office.made(first, second)
    assert whole.lacking is None
    assert whole.checksum != part.checksum
    assert whole.seconds == pytest.approx(9, abs=0.2)


async def test_a_file_that_never_comes_is_looked_for_three_days(office: Office) -> None:
    order = office.order(talk("never.wav", (2, 12)))
    office.now = order.ended_at + 3600
    assert isinstance(await office.recordings.prepare(order), Later)
    assert isinstance(await office.recordings.prepare(replace(order, lost=True)), Refused)
    office.now = order.ended_at + 3 * 86400
    assert isinstance(await office.recordings.prepare(order), Refused)


async def test_a_file_that_grows_slowly_is_taken_when_it_rests(office: Office) -> None:
    order = office.order(talk("a.wav", (2, 12)))
    for seconds in (3, 6):
        (office.monitor / "a.wav").unlink(missing_ok=True)
        office.file("a.wav", seconds, age=0.2)
        assert isinstance(await office.recordings.prepare(order), Later)
        office.now += 2
    (office.monitor / "a.wav").unlink()
    office.file("a.wav", 10, age=1.5)
    assert isinstance(await office.recordings.prepare(order), Later)  # it has changed since
    done = await office.recordings.prepare(order)
    assert isinstance(done, Audio)
    assert done.seconds == pytest.approx(10, abs=0.2)


async def test_a_truncated_file_is_handed_over_as_far_as_it_goes(office: Office) -> None:
    (office.monitor / "a.wav").write_bytes(wav(SPEECH, riff=0, told=0)[:-7000])
    os.utime(office.monitor / "a.wav", (BEGAN, BEGAN))
    done = await office.made(talk("a.wav", (2, 12)))
    assert done.seconds == pytest.approx(1.56, abs=0.1)


async def test_an_unreadable_folder_gives_nothing_up(office: Office) -> None:
    shutil.rmtree(office.monitor)
    waiting = await office.recordings.prepare(office.order(talk("a.wav", (2, 12))))
    assert isinstance(waiting, Later)
    assert str(office.monitor) in waiting.why.say("ru")


async def test_a_full_disk_is_told_and_passes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.file("a.wav", 5)
    order = office.order(talk("a.wav", (2, 7)), talk_s=5)

    async def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("callme.pbx.mp3.convert", full)
        waiting = await office.recordings.prepare(order)
    assert isinstance(waiting, Later)
    assert os.strerror(errno.ENOSPC) in waiting.why.say("en")
    assert isinstance(await office.recordings.prepare(order), Audio)


async def test_a_recording_beyond_the_limit_is_refused(office: Office) -> None:
    office.pbx = office.pbx.model_copy(update={"recordings_limit_mb": 1})
    office.start()
    with (office.monitor / "a.wav").open("wb") as file:
        file.write(wav(SPEECH))
        file.truncate(2 << 20)
    os.utime(office.monitor / "a.wav", (BEGAN, BEGAN))
    refused = await office.recordings.prepare(office.order(talk("a.wav", (2, 12))))
    assert isinstance(refused, Refused)
    assert "recordings_limit_mb" in refused.why.say("ru")


async def test_a_long_conversion_keeps_no_worker_and_survives_a_restart(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.file("a.wav", 5)
    order = office.order(talk("a.wav", (2, 7)), talk_s=5)
    with monkeypatch.context() as patch:
        patch.setattr(module, "AT_ONCE_S", 0.5)
        install(tmp_path / "bin", patch, ffmpeg="echo out_time_us=2000000; exec sleep 60")
        waiting = await office.recordings.prepare(order)
        again = await office.recordings.prepare(order)
        await office.recordings.close()
    assert isinstance(waiting, Later)
    assert isinstance(again, Later)
    assert "2" in again.why.say("en")
    assert "5" in again.why.say("en")
    assert (again.wait_s or 0) > (waiting.wait_s or 0)
    assert not list(office.data.rglob("*.part"))
    office.start()
    done = await office.recordings.prepare(order)
    assert isinstance(done, Audio)
    again_done = await office.start().prepare(order)
    assert isinstance(again_done, Audio)
    assert again_done.checksum == done.checksum


async def test_two_portals_share_one_conversion(office: Office) -> None:
    office.file("a.wav", 5)
    order = office.order(talk("a.wav", (2, 7)), talk_s=5)
    both = await asyncio.gather(office.recordings.prepare(order), office.recordings.prepare(order))
    assert all(isinstance(one, Audio) for one in both)
    assert len(list((office.data / "recordings").glob("*.mp3"))) == 1


def message(office: Office, number: int, left_at: float) -> RecordingFile:
    """A message as app_voicemail leaves it."""
    inbox = office.boxes / "default" / "104" / "INBOX"
    inbox.mkdir(parents=True, exist_ok=True)
    stem = inbox / f"msg{number:04}"
    os.utime(sine(stem.with_suffix(".wav"), 400, 4), (office.now - 50, office.now - 50))
    stem.with_suffix(".txt").write_text(f"[message]\norigmailbox=104\norigtime={left_at:.0f}\nduration=4\n")
    path = f"{BOXES}/default/104/INBOX/{stem.name}"
    return RecordingFile(path, "c", "1.1", BEGAN + 20, BEGAN + 20, kind=Sound.VOICEMAIL)


async def test_the_callers_message_is_the_sound_of_a_missed_call(office: Office) -> None:
    done = await office.made(message(office, 0, BEGAN + 8))
    assert done.name == "voicemail-104-msg0000.mp3"
    assert done.seconds == pytest.approx(4, abs=0.2)


async def test_a_mailbox_that_was_tidied_gives_nobody_elses_message(office: Office) -> None:
    refused = await office.recordings.prepare(office.order(message(office, 0, BEGAN - 5000)))
    assert isinstance(refused, Refused)
    assert "msg0000" in refused.why.say("ru")


async def test_where_the_mailboxes_are_must_be_known(office: Office) -> None:
    order = office.order(message(office, 0, BEGAN + 8))
    office.pbx = office.pbx.model_copy(update={"voicemail": ""})
    refused = await office.start().prepare(order)
    assert isinstance(refused, Refused)
    assert "voicemail" in refused.why.say("ru")
    assert Pbx(id="a", secret="a", recordings=ROOT).mailboxes == BOXES


async def test_an_order_of_an_earlier_version_is_made_too(office: Office) -> None:
    office.file("a.wav", 5)
    order = office.order(talk("a.wav", (2, 7)), talk_s=5)
    done = await office.recordings.prepare(replace(order, files=(), answered_at=None))
    assert isinstance(done, Audio)
    assert (await measure(done.file)).seconds == pytest.approx(5, abs=0.2)


async def test_without_recordings_in_the_configuration_a_person_is_told(office: Office) -> None:
    office.pbx = office.pbx.model_copy(update={"recordings": ""})
    refused = await office.start().prepare(office.order(talk("a.wav", (2, 12))))
    assert isinstance(refused, Refused)
    assert "recordings" in refused.why.say("en")


@pytest.mark.long
async def test_three_hours_are_converted_while_the_worker_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.2)
    seconds = 3 * 3600
    with (office.monitor / "a.wav").open("wb") as file:
        file.write(wav(b"", riff=36 + 16000 * seconds, told=16000 * seconds))
        file.truncate(44 + 16000 * seconds)
    os.utime(office.monitor / "a.wav", (BEGAN, BEGAN))
    office.now = BEGAN + seconds + 100
    order = office.order(talk("a.wav", (2, 2 + seconds)), talk_s=seconds)
    said = set()
    async with asyncio.timeout(600):
        while isinstance(done := await office.recordings.prepare(order), Later):
            said.add(done.why.say("en"))
    assert isinstance(done, Audio)
    assert done.seconds == pytest.approx(seconds, abs=1)
    assert sum(f"of {seconds} s" in one for one in said) > 3


def lives(told: Path) -> bool:
    """Whether the process lives whose number stands there."""
    return Path(f"/proc/{told.read_text().strip()}").exists()


@pytest.mark.parametrize("for_good", [False, True])
async def test_a_conversion_that_is_stopped_leaves_nothing(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_S", 0.0)
    began, alive = tmp_path / "began", tmp_path / "alive"
    os.mkfifo(began)
    path = os.environ["PATH"]
    half = 'for part; do :; done; echo x > "${part#file:}"'
    slow = f"echo $$ > {alive}; {half}; echo x > {began}; exec sleep 60"
    install(tmp_path / "bin", monkeypatch, ffmpeg=slow)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{path}")
    (office.monitor / "a.wav").write_bytes(wav(SPEECH, riff=0, told=0))  # mended on a copy
    os.utime(office.monitor / "a.wav", (office.now - 50, office.now - 50))
    file = talk("a.wav", (2, 7))
    order = office.order(file, talk_s=5)
    asking = asyncio.ensure_future(office.recordings.prepare(order))
    await asyncio.to_thread(began.read_text)
    assert isinstance(await asking, Later)
    end = office.recordings.forget if for_good else office.recordings.stop
    await end("office-9.9")
    assert lives(alive), "another call's"
    await end("office-1.1")
    assert not lives(alive)
    left = [one for one in office.data.rglob("*") if one.is_file()]
    assert left == []
    assert (office.monitor / "a.wav").exists(), "the PBX's own is never touched"
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr(module, "AT_ONCE_S", 30.0)
    again = await office.recordings.prepare(order)
    assert isinstance(again, Refused if for_good else Audio)
