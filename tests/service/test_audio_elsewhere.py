"""The same for a PBX on another machine: over a real sshd and a real web server, broken off in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from callme.crm.port import Audio, Later
from callme.service import audio as module
from tests.pbx.secure import Web, certificates, sshd, web
from tests.service.test_audio import Office, talk


@pytest_asyncio.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(module, "AT_ONCE_S", 30.0)
    made = Office(tmp_path)
    yield made
    for one in made.started:
        await one.close()


async def settled(office: Office) -> Audio:
    """The sound of one call with two files, asked for until it is there."""
    office.file("first.wav", 4)
    office.file("second.wav", 5)
    order = office.order(talk("first.wav", (2, 6)), talk("second.wav", (7, 12)))
    for _ in range(5):
        done = await office.recordings.prepare(order)
        if isinstance(done, Audio):
            return done
        assert isinstance(done, Later), done
        office.now += done.wait_s or 1
    raise AssertionError("it never came")


def whole(office: Office, done: Audio) -> None:
    assert done.seconds == pytest.approx(9, abs=0.2)
    assert list((office.data / "recordings" / "incoming").iterdir()) == []
    assert sorted(path.name for path in office.monitor.glob("*.wav")) == ["first.wav", "second.wav"]


@pytest.mark.live
async def test_by_sftp(office: Office, tmp_path: Path) -> None:
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd") as server:
        office.pbx = office.pbx.model_copy(
            update={
                "recordings": f"sftp://127.0.0.1:{server.port}{office.monitor}",
                "recordings_ssh_key": server.key,
                "recordings_known_hosts": server.known_hosts,
            }
        )
        office.start()
        whole(office, await settled(office))


@contextmanager
def served(office: Office, tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "ca").mkdir()
    authority, pem = certificates(tmp_path / "ca")
    with web(tmp_path, pem) as server:
        server.basic("callme", "monitor-password")
        office.pbx = office.pbx.model_copy(
            update={
                "recordings": server.address,
                "recordings_user": "callme",
                "recordings_password": SecretStr("monitor-password"),
                "recordings_ca": authority,
            }
        )
        office.start()
        yield server


async def test_by_https_broken_off_and_gone_on(office: Office, tmp_path: Path) -> None:
    with served(office, tmp_path) as server:
        office.file("first.wav", 4)
        order = office.order(talk("first.wav", (2, 6)), talk_s=4)
        server.break_after = 20_000
        broken = await office.recordings.prepare(order)
        assert isinstance(broken, Later)
        assert "monitor-password" not in broken.why.say("en") + broken.why.say("ru")
        server.break_after = None
        office.start()  # and the service was restarted meanwhile
        done = await office.recordings.prepare(order)
        assert isinstance(done, Audio)
        assert done.seconds == pytest.approx(4, abs=0.2)
        assert ("GET", "/monitor/first.wav", "bytes=20000-") in server.asked
        (office.monitor / "first.wav").unlink()
        whole(office, await settled(office))
