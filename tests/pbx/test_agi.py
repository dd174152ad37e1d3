"""The dialplan's questions over FastAGI, as res_agi writes them, through a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from callme.pbx import agi
from callme.pbx.agi import AgiServer, Question, quoted

ENVIRONMENT = """agi_network: yes
agi_network_script: office
agi_request: agi://127.0.0.1:4573/office
agi_channel: PJSIP/trunk-prov-00000001
agi_language: en
agi_uniqueid: 1700000000.1
agi_version: 16.28.0
agi_callerid: +79261234567
agi_calleridname: unknown
agi_context: callme-in
agi_extension: s
agi_arg_1: a-key
agi_arg_2: 74950000003

"""
OK = "200 result=1\n"


class Answers:
    """Gives what it is told to, and remembers what it was asked."""

    def __init__(self, *variables: tuple[str, str]) -> None:
        self.variables = variables
        self.asked: list[Question] = []
        self.heard = asyncio.Event()
        self.slow: asyncio.Event | None = None

    async def __call__(self, question: Question) -> Iterable[tuple[str, str]]:
        self.asked.append(question)
        self.heard.set()
        if self.slow is not None:
            await self.slow.wait()
        return self.variables


@asynccontextmanager
async def talk(answers: Answers) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = AgiServer(answers)
    host, port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await server.close()


async def line(reader: asyncio.StreamReader) -> str:
    async with asyncio.timeout(5):
        return (await reader.readline()).decode()


async def over(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await reader.read()


async def test_a_question_is_read_and_its_answer_set_variable_by_variable() -> None:
    answers = Answers(("CALLERID(name)", "Иван Петров"), ("CALLME_EXTEN", "101"))
    async with talk(answers) as (reader, writer):
        writer.write(ENVIRONMENT.encode())
        assert await line(reader) == 'SET VARIABLE CALLERID(name) "Иван Петров"\n'
        writer.write(OK.encode())
        assert await line(reader) == 'SET VARIABLE CALLME_EXTEN "101"\n'
        writer.write(OK.encode())
        assert await over(reader) == b""
    (asked,) = answers.asked
    assert (asked.script, asked.arguments) == ("office", ("a-key", "74950000003"))
    assert (asked.values["uniqueid"], asked.values["callerid"]) == ("1700000000.1", "+79261234567")
    assert "a-key" not in repr(asked)


async def test_the_question_may_come_letter_by_letter() -> None:
    answers = Answers(("A", "1"))
    async with talk(answers) as (reader, writer):
        for letter in ENVIRONMENT:
            writer.write(letter.encode())
            await writer.drain()
        assert await line(reader) == 'SET VARIABLE A "1"\n'


async def test_no_answer_closes_at_once() -> None:
    async with talk(Answers()) as (reader, writer):
        writer.write(ENVIRONMENT.encode())
        assert await over(reader) == b""


@pytest.mark.parametrize(
    "reply",
    ["HANGUP\n", "511 Command Not Permitted on a dead channel\n", "510 Invalid or unknown command\n",
     "520-Invalid command syntax.  Proper usage follows:\nUsage: …\n520 End of proper usage.\n"],
)  # fmt: skip
async def test_after_a_refusal_or_a_hangup_nothing_more_is_said(reply: str) -> None:
    async with talk(Answers(("A", "1"), ("B", "2"))) as (reader, writer):
        writer.write(ENVIRONMENT.encode())
        await line(reader)
        writer.write(reply.encode())
        assert await over(reader) == b""


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x02\n\n",
        b"agi_a: " + b"x" * 20000,
        b"agi_a: b\n" * 300,
        b"\n",
    ],
    ids=["a browser", "TLS", "an endless line", "endless lines", "nothing"],
)
async def test_rubbish_is_put_down_and_the_next_one_is_heard(rubbish: bytes) -> None:
    answers = Answers(("A", "1"))
    server = AgiServer(answers)
    host, port = await server.start("127.0.0.1", 0)
    for said in (rubbish, ENVIRONMENT.encode()):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(said)
        heard = await asyncio.wait_for(reader.read(19), 5) if said is not rubbish else b""
        writer.close()
    await server.close()
    assert heard == b'SET VARIABLE A "1"\n'


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "QUESTION_S", 0.05)
    async with talk(Answers(("A", "1"))) as (reader, writer):
        writer.write(b"agi_network: yes\n")
        assert await over(reader) == b""


async def test_a_stop_ends_talks_that_wait_for_an_answer() -> None:
    answers = Answers(("A", "1"))
    answers.slow = asyncio.Event()
    async with talk(answers) as (_, writer):
        writer.write(ENVIRONMENT.encode())
        async with asyncio.timeout(5):
            await answers.heard.wait()


async def test_more_guests_than_there_are_seats_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi, "GUESTS_MAX", 0)
    async with talk(Answers(("A", "1"))) as (reader, _):
        assert await over(reader) == b""


@pytest.mark.parametrize(
    ("value", "word"),
    [("101", '"101"'), ('a"b\\c', '"a\\"b\\\\c"'), ("a\nHANGUP\r\n", '"a HANGUP  "'), ("", '""')],
)
def test_a_value_cannot_end_its_command(value: str, word: str) -> None:
    assert quoted(value) == word
