"""Recordings from a web server with a certificate of a private authority: verified, let in, resumed."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path, PurePosixPath

import pytest
import pytest_asyncio

from callme.pbx.access import Access, place_at
from callme.pbx.https import Https
from callme.pbx.places import Entry, Trouble
from tests.pbx.secure import Web, certificates, web

NAME = PurePosixPath("2026/11/24/external-101-7900 1234567-20261124-100000-1.1.wav")
SOUND = bytes(range(256)) * 4000
PASSWORD = "monitor-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(tmp_path: Path, authority: tuple[Path, Path]) -> Iterator[Web]:
    file = tmp_path / "www" / "monitor" / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(SOUND)
    os.utime(file, (1_795_500_000, 1_795_500_000))
    with web(tmp_path / "www", authority[1]) as served:
        served.basic("callme", PASSWORD)
        yield served


@pytest_asyncio.fixture
async def place(server: Web, authority: tuple[Path, Path]) -> AsyncIterator[Https]:
    access = Access(user="callme", password=PASSWORD, ca_file=authority[0])
    assert PASSWORD not in repr(access)
    opened, client = place_at(server.address, access)
    assert isinstance(opened, Https)
    assert client is not None
    async with client:
        yield opened


async def test_a_file_is_found_and_brought(place: Https, tmp_path: Path) -> None:
    found = await place.look([NAME])
    assert found == [Entry(NAME, len(SOUND), 1_795_500_000.0)]
    told: list[int] = []
    assert await place.bring(found[0], tmp_path / "in.wav", told.append) is None
    assert (tmp_path / "in.wav").read_bytes() == SOUND
    assert told[-1] == len(SOUND)


async def test_a_name_that_is_not_there_and_one_that_a_script_made_of_it(place: Https, server: Web) -> None:
    assert await place.look([PurePosixPath("none.wav"), PurePosixPath("none.gsm")]) == []
    assert [path for _, path, _ in server.asked] == ["/monitor/none.wav"]  # unlikely names cost requests
    (found,) = await place.look([NAME.with_suffix(".WAV"), NAME])  # type: ignore[misc]
    assert found.name == NAME


async def test_both_directions_are_found(place: Https, server: Web) -> None:
    sides = [NAME.with_name(f"{NAME.stem}{mark}.wav") for mark in ("-in", "-out", "_in", "_out")]
    for side in sides[:2]:
        (server.root / "monitor" / side).write_bytes(SOUND)
    found = await place.look([NAME], sides)
    assert isinstance(found, list)
    assert [one.name for one in found] == [NAME, *sides[:2]]


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_transfer_that_broke_off_goes_on(
    place: Https, server: Web, tmp_path: Path, ranges: bool
) -> None:
    (entry,) = await place.look([NAME])  # type: ignore[misc]
    server.break_after = 300_000
    assert isinstance(await place.bring(entry, tmp_path / "in.wav", print), Trouble)
    assert (tmp_path / "in.wav").stat().st_size == 300_000
    server.break_after, server.ranges = None, ranges
    assert await place.bring(entry, tmp_path / "in.wav", print) is None
    assert (tmp_path / "in.wav").read_bytes() == SOUND
    assert server.asked[-1][2] == "bytes=300000-"


async def test_the_wrong_password_and_the_wrong_authority_are_told(
    server: Web, authority: tuple[Path, Path]
) -> None:
    wrong = Access(user="callme", password="other-password", ca_file=authority[0])
    for access, word in ((wrong, "401"), (Access(user="callme", password=PASSWORD), "сертификат")):
        place, client = place_at(server.address, access)
        assert client is not None
        async with client:
            found = await place.look([NAME])
        assert isinstance(found, Trouble)
        assert word in found.why.say("ru").lower()
        for secret in (PASSWORD, "other-password"):
            assert secret not in found.why.say("ru") + found.why.say("en")


async def test_a_token_opens_too(server: Web, authority: tuple[Path, Path]) -> None:
    server.authorization = "Bearer abcdef"
    place, client = place_at(server.address, Access(token="abcdef", ca_file=authority[0]))
    assert client is not None
    async with client:
        assert isinstance(await place.look([NAME]), list)


def test_the_system_knows_no_authority_of_ours(authority: tuple[Path, Path]) -> None:
    """The test above would prove nothing otherwise."""
    subjects = [str(one.get("subject")) for one in ssl.create_default_context().get_ca_certs()]
    assert not any("lab authority" in subject for subject in subjects)
