"""The lasting AMI link against a server on a real socket: order, losses, refusals, back-pressure."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest

from callme.errors import PbxError
from callme.pbx.ami.client import (
    AmiClient,
    AmiSettings,
    AskRefusedError,
    AskUnansweredError,
    Read,
    ReadKind,
    backoff,
)
from callme.pbx.ami.wire import Message
from tests.pbx.ami.pretender import Pretender, answer, listing, packet, pretend, refuse

HANGUP = packet("Event: Hangup", "Cause: 16")


class Watched:
    """A running client: its reads as they come, and the waits it made between attempts."""

    def __init__(self, settings: AmiSettings, keep: Callable[[bytes], bool] = lambda raw: True) -> None:
        self.waits: list[float] = []
        self._slept = asyncio.Condition()
        self.client = AmiClient(
            settings, keep=keep, clock=lambda: 1_795_453_573.0, jitter=lambda: 0.5, sleep=self._sleep
        )
        self._reads = self.client.reads()

    async def _sleep(self, wait: float) -> None:
        self.waits.append(wait)
        async with self._slept:
            self._slept.notify_all()

    async def waited(self, count: int) -> None:
        """Until that many waits were made."""
        async with asyncio.timeout(5), self._slept:
            await self._slept.wait_for(lambda: len(self.waits) >= count)

    async def next(self, kind: ReadKind) -> Read:
        """The next read, which must be of that kind."""
        async with asyncio.timeout(5):
            read = await anext(self._reads)
        assert read.kind is kind, (read.kind, read.problem)
        return read


@asynccontextmanager
async def watched(
    pbx: Pretender, keep: Callable[[bytes], bool] = lambda raw: True, **changes: object
) -> AsyncIterator[Watched]:
    settings = AmiSettings(host="127.0.0.1", port=pbx.port, username="callme", secret="s3cret")
    one = Watched(replace(settings, **changes), keep)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.client.close()
        await one._reads.aclose()  # type: ignore[attr-defined]


def wanted(raw: bytes) -> bool:
    return raw.startswith((b"Event: Hangup", b"Event: NewCallerid"))


# -------------------------------------------------------------------------------------------- the way up
async def test_up_then_a_snapshot_then_events() -> None:
    pbx = Pretender(channels=[("Event: CoreShowChannel", "Channel: PJSIP/101-1")])
    async with pretend(pbx), watched(pbx, wanted) as link:
        up = await link.next(ReadKind.UP)
        assert (up.uptime, up.version, up.at) == (261, "5.0.5", 1_795_453_573.0)
        snapshot = await link.next(ReadKind.SNAPSHOT)
        assert [one.name for one in snapshot.messages] == [
            "CoreShowChannel",
            "CoreShowChannelsComplete",
            "BridgeListComplete",
            "ParkedCallsComplete",
        ]
        assert snapshot.asked_at == 1_795_453_573.0
        assert b"PJSIP/101-1" in snapshot.raw
        pbx.send(packet("Event: VarSet", "Value: x") + HANGUP)
        events = await link.next(ReadKind.EVENTS)
        assert events.raw == HANGUP
        state = link.client.state
        assert (state.up, state.problem, state.version) == (True, None, "5.0.5")


async def test_events_before_the_end_of_the_lists_come_before_the_snapshot() -> None:
    pbx = Pretender()
    pbx.replies["ParkedCalls"] = lambda action: HANGUP + listing(action) + HANGUP
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.EVENTS)
        await link.next(ReadKind.SNAPSHOT)
        await link.next(ReadKind.EVENTS)


async def test_a_user_without_read_system_is_up_all_the_same() -> None:
    pbx = Pretender(booted="")
    async with pretend(pbx), watched(pbx, wanted) as link:
        assert (await link.next(ReadKind.UP)).uptime is None
        await link.next(ReadKind.SNAPSHOT)


async def test_a_pbx_that_boots_while_we_are_in_says_so_and_is_asked_again() -> None:
    pbx = Pretender(booted="")
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        pbx.send(packet("Event: FullyBooted", "Uptime: 0", "Status: Fully Booted"))
        assert (await link.next(ReadKind.UP)).uptime == 0
        await link.next(ReadKind.SNAPSHOT)


async def test_bridges_that_may_not_be_seen_are_done_without() -> None:
    pbx = Pretender()
    pbx.replies["BridgeList"] = lambda action: refuse(action, "Permission denied")
    async with pretend(pbx), watched(pbx) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.EVENTS)
        snapshot = await link.next(ReadKind.SNAPSHOT)
        names = [one.name for one in snapshot.messages]
        assert names == ["CoreShowChannelsComplete", "ParkedCallsComplete"]


async def test_channels_that_may_not_be_seen_give_a_problem_and_no_empty_snapshot() -> None:
    pbx = Pretender()
    pbx.replies["CoreShowChannels"] = lambda action: refuse(action, "Permission denied")
    pbx.replies["ParkedCalls"] = lambda action: listing(action) + HANGUP
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.EVENTS)
        state = link.client.state
        assert state.up
        assert state.problem is not None
        assert "reporting" in state.problem.say("ru")


async def test_a_snapshot_can_be_asked_for_again() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.client.snapshot_now()
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        await link.client.snapshot_now()
        await link.client.snapshot_now()
        await link.next(ReadKind.SNAPSHOT)
        assert pbx.names().count("CoreShowChannels") == 2


async def test_a_letter_cut_between_two_reads_stays_whole() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        raw = packet("Event: NewCallerid", "CallerIDName: Жанна")
        cut = raw.index("Ж".encode()) + 1
        pbx.send(HANGUP + raw[:cut])
        await link.next(ReadKind.EVENTS)
        pbx.send(raw[cut:])
        assert (await link.next(ReadKind.EVENTS)).messages[0].get("CallerIDName") == "Жанна"


# ------------------------------------------------------------------------------------------------ losses
async def test_a_loss_is_told_at_once_and_the_link_comes_back() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        pbx.cut()
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert not link.client.state.up
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        assert link.waits == [0.5]
        assert pbx.connections == 2


async def test_a_half_open_link_is_noticed() -> None:
    pbx = Pretender()
    pbx.replies["Ping"] = lambda action: None
    async with pretend(pbx), watched(pbx, wanted, ping_every=0.05, ping_deadline=0.05) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert "ping" in down.problem.say("en")
        await link.next(ReadKind.UP)


async def test_a_quiet_link_that_answers_its_pings_stays_up() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted, ping_every=0.02, ping_deadline=2.0) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        await pbx.seen("Ping", 5)
        pbx.send(HANGUP)
        await link.next(ReadKind.EVENTS)
        assert pbx.connections == 1


async def test_a_wrong_secret_is_not_hammered() -> None:
    pbx = Pretender(secret="another")
    async with pretend(pbx), watched(pbx) as link:
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert "permit" in down.problem.say("en")
        following = asyncio.ensure_future(link.next(ReadKind.UP))
        await pbx.seen("Login", 6)
        pbx.secret = "s3cret"
        assert (await following).kind is ReadKind.UP  # the same refusal was told once only
        assert link.waits[:6] == [pytest.approx(63), 120, 240, 480, 900, 900]
        assert "another" not in repr(link.client.state)


async def test_an_address_where_nobody_listens_is_told_once_and_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    pbx = Pretender(port=port)
    async with watched(pbx) as link:
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert f"127.0.0.1:{port}" in down.problem.say("ru")
        following = asyncio.ensure_future(link.next(ReadKind.UP))
        await link.waited(4)
        assert link.waits[:4] == [0.5, 1.7, pytest.approx(2.89), pytest.approx(4.913)]
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_plain_port_asked_for_tls_is_told() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, tls=True) as link:
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert "TLS" in down.problem.say("en")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own for 127.0.0.1, with its key in the same file."""
    file = tmp_path_factory.mktemp("tls") / "ami.pem"
    what = ("-subj", "/CN=pbx", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    how = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(file), "-out", f"{file}.crt")
    subprocess.run(["openssl", *how, *what], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


async def test_tls_is_verified_against_the_given_issuer(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    pbx = Pretender()
    async with pretend(pbx, context):
        async with watched(pbx, wanted, tls=True, ca_file=str(certificate)) as link:
            await link.next(ReadKind.UP)
            await link.next(ReadKind.SNAPSHOT)
            pbx.send(HANGUP)
            await link.next(ReadKind.EVENTS)
        async with watched(pbx, wanted, tls=True) as link:
            down = await link.next(ReadKind.DOWN)
            assert down.problem is not None
            assert "ca_file" in down.problem.say("ru")


async def test_the_state_tells_since_when_the_link_is_down() -> None:
    pbx = Pretender()
    times = count(100.0)
    async with pretend(pbx):
        settings = AmiSettings("127.0.0.1", pbx.port, "callme", "s3cret")
        client = AmiClient(
            settings,
            keep=lambda raw: True,
            clock=lambda: next(times),
            jitter=lambda: 0.5,
            sleep=asyncio.sleep,
        )
        reads = client.reads()
        assert (await anext(reads)).kind is ReadKind.UP
    downs = [await anext(reads)]
    while downs[-1].kind is not ReadKind.DOWN:
        downs = [await anext(reads)]
    downs.append(await anext(reads))  # the server is gone: nobody listens
    assert downs[1].kind is ReadKind.DOWN
    assert downs[0].at < downs[1].at
    assert client.state.since == downs[0].at
    await client.close()
    await reads.aclose()  # type: ignore[attr-defined]


async def test_a_ca_file_that_is_not_there_is_named() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, tls=True, ca_file="/nonexistent/ca.pem") as link:
        down = await link.next(ReadKind.DOWN)
        assert down.problem is not None
        assert "ca_file" in down.problem.say("en")


def test_the_waits_grow_to_a_ceiling() -> None:
    waits = list(islice(backoff(lambda: 0.3), 12))
    assert waits[0] == pytest.approx(0.3)
    assert waits[1:3] == [1.7, pytest.approx(2.89)]
    assert waits[-1] == 60.0
    assert sorted(waits) == waits


async def test_closing_ends_the_reads() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.client.close()
        rest = [read.kind async for read in link._reads]
        assert rest[-1] is ReadKind.DOWN
        assert not link.client.state.up


# ------------------------------------------------------------------------------------------------ asking
async def test_an_action_is_asked_and_answered_while_events_come() -> None:
    pbx = Pretender()
    pbx.replies["Getvar"] = lambda action: HANGUP + answer(action, "Variable: X", "Value: 7")
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        reply = await link.client.ask("Getvar", {"Channel": "PJSIP/101-1", "Variable": "X"})
        assert reply.response.get("Value") == "7"
        await link.next(ReadKind.EVENTS)


async def test_a_refused_action_carries_the_words_of_the_pbx_and_the_cure() -> None:
    pbx = Pretender()
    pbx.replies["Originate"] = lambda action: refuse(action, "Permission denied")
    async with pretend(pbx), watched(pbx) as link:
        await link.next(ReadKind.UP)
        with pytest.raises(AskRefusedError, match="Permission denied") as caught:
            await link.client.ask("Originate", [("Channel", "PJSIP/101")])
        assert caught.value.reply.response.get("Message") == "Permission denied"
        assert caught.value.cure is not None


async def test_nothing_is_asked_while_the_link_is_down() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx) as link:
        with pytest.raises(PbxError, match="not connected"):
            await link.client.ask("Originate", {"Channel": "PJSIP/101"})
        assert pbx.actions == []


async def test_an_action_that_got_lost_with_the_link_is_never_sent_again() -> None:
    pbx = Pretender()
    pbx.replies["Originate"] = lambda action: None
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        asking = asyncio.ensure_future(link.client.ask("Originate", {"Channel": "PJSIP/101"}))
        await pbx.seen("Originate")
        pbx.cut()
        with pytest.raises(AskUnansweredError, match="not known"):
            await asking
        await link.next(ReadKind.DOWN)
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        assert pbx.names().count("Originate") == 1


async def test_an_answer_that_comes_too_late_is_dropped() -> None:
    pbx = Pretender()
    held: list[Message] = []

    def hold(action: Message) -> None:
        held.append(action)

    pbx.replies["Getvar"] = hold
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        with pytest.raises(AskUnansweredError, match=r"0\.05 s"):
            await link.client.ask("Getvar", {"Variable": "X"}, timeout=0.05)
        pbx.send(answer(held[0], "Value: 7") + HANGUP)
        await link.next(ReadKind.EVENTS)


async def test_a_line_break_in_a_header_never_reaches_the_pbx() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted) as link:
        await link.next(ReadKind.UP)
        with pytest.raises(ValueError, match="Exten"):
            await link.client.ask("Originate", {"Exten": "1\r\nAction: Command"})
        await link.next(ReadKind.SNAPSHOT)
        assert "Originate" not in pbx.names()


# ----------------------------------------------------------------------------------------- back-pressure
async def test_a_slow_consumer_stops_the_socket_and_loses_nothing() -> None:
    pbx = Pretender()
    async with pretend(pbx), watched(pbx, wanted, ping_every=0.2, ping_deadline=0.2) as link:
        await link.next(ReadKind.UP)
        await link.next(ReadKind.SNAPSHOT)
        assert pbx.writer is not None
        pbx.writer.transport.set_write_buffer_limits(high=0)
        filler = "x" * 900
        total = 20_000
        raw = b"".join(packet("Event: Hangup", f"Number: {n}", f"Filler: {filler}") for n in range(total))
        for at in range(0, len(raw), 50_000):  # many small writes, so that many reads wait
            pbx.send(raw[at : at + 50_000])
        # longer than both ping times: a reader that rests must not think the PBX dead
        await asyncio.sleep(0.7)
        assert pbx.writer.transport.get_write_buffer_size() > 0
        numbers: list[int] = []
        while len(numbers) < total:
            read = await link.next(ReadKind.EVENTS)
            numbers += [int(one.get("Number")) for one in read.messages]
        assert numbers == list(range(total))
        assert pbx.connections == 1
