"""What is kept of requests and answers: readable, short, and without a secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx2
import pytest

from callme.crm.port import Attempt
from callme.http import Answer, NoAnswer, NotSent, Upload
from callme.portals.bitrix24 import evidence
from callme.wording import Phrase
from tests.portals.bitrix24.scripted import SECRET, START, Scripted, bad, lost, ok, page, portal, ringing
from tests.portals.conformance import Notes

REGISTER = "telephony.externalCall.register"


def mask(text: str) -> str:
    return text.replace(SECRET, "***")


def answer(body: object, status: int = 200) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return evidence.answered(Answer(status, {}, content), mask)


def test_a_request_tells_method_and_parameters() -> None:
    assert evidence.asked("user.get", {"FILTER": {"ИМЯ": [1]}}, mask) == 'user.get {"FILTER":{"ИМЯ":[1]}}'


def test_secrets_are_masked_wherever_they_stand() -> None:
    told = answer({"result": {"access_token": "abc", "list": [{"auth": "def"}], "note": f"x{SECRET}y"}})
    assert told == '200 {"result":{"access_token":"***","list":[{"auth":"***"}],"note":"x***y"}}'
    assert SECRET not in answer(f"<html>{SECRET}</html>".encode(), 502)


def test_an_address_lets_nobody_in() -> None:
    told = answer(
        {"uploadUrl": "https://h.example/rest/1/key/upload/?token=t", "url": "https://h.example/a?b=c"}
    )
    assert told == '200 {"uploadUrl":"https://h.example/***","url":"https://h.example/a?***"}'
    assert answer({"uploadUrl": "https://[broken"}) == '200 {"uploadUrl":"***"}'
    upload = Upload("file", "call.mp3", "audio/mpeg", Path("/a"))
    assert evidence.sent("https://h.example/u?token=t", upload, mask) == (
        "upload to h.example: file=call.mp3 (audio/mpeg)"
    )


def test_texts_are_cut() -> None:
    assert len(answer({"result": "я" * 9000})) == evidence.LENGTH
    assert answer(b"x" * 200_000) == "200 (200000 bytes)"
    assert answer(b"a\n  b\xff", 503) == "503 a b\ufffd"


def test_what_never_came_is_told() -> None:
    why = Phrase("gone.", "нет.")
    assert evidence.answered(NotSent(why), mask) == "not sent: gone."
    assert evidence.answered(NoAnswer(why), mask) == "no answer: gone."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (ok({"CALL_ID": "c"}), '200 {"result":{"CALL_ID":"c"}'),
        (bad(400, "", f"see /rest/1/{SECRET}/"), "400 "),
        (page(502), "502 <html>no</html>"),
        (lost(), "no answer: "),
    ],
)
async def test_each_exchange_of_an_attempt_is_noted(said: httpx2.Response | Exception, told: str) -> None:
    notes = Notes()
    bitrix = portal(Scripted().says(REGISTER, said))
    one = Attempt(1, False, {}, START, START, notes)
    await bitrix.register(ringing(line=""), frozenset(), one)
    await bitrix.close()
    ((request, answered),) = notes.kept
    assert request.startswith(f"{REGISTER} {{")
    assert answered.startswith(told)
    assert SECRET not in request + answered


async def test_a_request_that_was_given_up_is_noted() -> None:
    notes, begun = Notes(), asyncio.Event()
    script = Scripted()

    async def silent(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(REGISTER):
            begun.set()
            await asyncio.Event().wait()
        return script(request)

    bitrix = portal(script, transport=httpx2.MockTransport(silent))
    order = asyncio.create_task(
        bitrix.register(ringing(line=""), frozenset(), Attempt(1, False, {}, START, START, notes))
    )
    await begun.wait()
    order.cancel()
    await asyncio.gather(order, return_exceptions=True)
    await bitrix.close()
    assert [answered for _, answered in notes.kept] == [evidence.GIVEN_UP]
