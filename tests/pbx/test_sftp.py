"""Recordings by SFTP, from a real sshd that gives no shell: found, brought, resumed; strangers are not
trusted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from callme.pbx import sftp as module
from callme.pbx.access import Access, place_at
from callme.pbx.places import Entry, Place, Trouble
from callme.pbx.recordings import NotYet, There, Wanted, fetch
from callme.pbx.sftp import Sftp
from tests.pbx.secure import Sshd, free_port, sshd

pytestmark = pytest.mark.live

NAME = PurePosixPath("2026/11/24/external-101-7900 [x]*\"'-20261124-100000-1.1.wav")
SOUND = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    file = tmp_path / "moni tor" / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(SOUND)
    return tmp_path / "moni tor"


def opened(server: Sshd, monitor: Path, **access: Path) -> Place:
    known = {"ssh_key": server.key, "known_hosts": server.known_hosts, **access}
    place, _ = place_at(f"sftp://127.0.0.1:{server.port}{str(monitor).replace(' ', '%20')}", Access(**known))
    assert isinstance(place, Sftp)
    return place


async def test_a_file_is_found_and_brought(server: Sshd, monitor: Path, tmp_path: Path) -> None:
    place = opened(server, monitor)
    found = await place.look([NAME.with_suffix(".mp3"), NAME])
    assert found == [Entry(NAME, len(SOUND))]
    assert await place.bring(found[0], tmp_path / "in coming.wav", print) is None
    assert (tmp_path / "in coming.wav").read_bytes() == SOUND
    assert await place.look([PurePosixPath("2026/none.wav")]) == []


async def test_a_name_that_looks_like_an_option_is_a_name(
    server: Sshd, monitor: Path, tmp_path: Path
) -> None:
    name = PurePosixPath("-R -20261124.wav")
    (monitor / name).write_bytes(SOUND)
    place = opened(server, monitor)
    assert await place.look([PurePosixPath("-none.wav"), name]) == [Entry(name, len(SOUND))]
    assert await place.bring(Entry(name, len(SOUND)), tmp_path / "in.wav", print) is None
    assert (tmp_path / "in.wav").read_bytes() == SOUND


async def test_a_transfer_goes_on_where_it_broke_off(server: Sshd, monitor: Path, tmp_path: Path) -> None:
    into = tmp_path / "in.wav"
    into.write_bytes(b"x" * 1000 + SOUND[1000:300_000])  # its beginning shows that it was not sent again
    assert await opened(server, monitor).bring(Entry(NAME, len(SOUND)), into, print) is None
    assert into.read_bytes() == b"x" * 1000 + SOUND[1000:]


async def test_a_growing_file_is_seen_by_its_size(server: Sshd, monitor: Path) -> None:
    """A listing tells the time to the minute only."""
    place, wanted = opened(server, monitor), Wanted(f"/monitor/{NAME}", "/monitor", 1000.0)
    first = await fetch(wanted, place, 1010.0)
    assert isinstance(first, NotYet)
    with (monitor / NAME).open("ab") as file:
        file.write(b"more")
    second = await fetch(wanted, place, 1011.0, first.size)
    assert isinstance(second, NotYet)
    assert isinstance(await fetch(wanted, place, 1012.0, second.size), There)


async def trouble(place: Place, language: str = "en") -> str:
    found = await place.look([NAME])
    assert isinstance(found, Trouble), found
    return found.why.say("en")


async def test_what_stands_in_the_way_is_told_with_its_cure(
    server: Sshd, monitor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = tmp_path / "nobody"
    nobody.write_text("")
    assert "known_hosts" in await trouble(opened(server, monitor, known_hosts=nobody))
    stranger = server.folder / "stranger"
    assert "recordings_ssh_key" in await trouble(opened(server, monitor, ssh_key=stranger))
    assert "cannot be opened" in await trouble(opened(server, tmp_path / "elsewhere"))
    closed = Sshd(server.folder, free_port())
    assert "refused" in await trouble(opened(closed, monitor))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "openssh-client" in await trouble(opened(server, monitor))


async def test_a_file_that_is_gone_is_told(server: Sshd, monitor: Path, tmp_path: Path) -> None:
    gone = Entry(PurePosixPath("gone.wav"), 5)
    found = await opened(server, monitor).bring(gone, tmp_path / "in.wav", print)
    assert isinstance(found, Trouble)
    assert "gone.wav" in found.why.say("ru")


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "sftp"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(module, "LOOK_S", 0.2)
    monkeypatch.setattr(module, "STALL_S", 0.2)
    place, _ = place_at("sftp://127.0.0.1/monitor", Access())
    assert "no answer" in await trouble(place)
    stalled = await place.bring(Entry(NAME, 5), tmp_path / "in.wav", print)
    assert isinstance(stalled, Trouble)
