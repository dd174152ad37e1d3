"""Who calls, on a real telephone's display, and the call at the employee it is for: by FreePBX's lookup
source, by FastAGI and by CURL, with the CRM well, slow, broken and gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from callme.lab import scenarios
from callme.lab.asterisk import Release
from callme.lab.lab import Lab
from callme.lab.play import Played
from callme.lab.sandboxes.bitrix24.faults import Fault, FaultKind
from callme.lab.sandboxes.bitrix24.state import Customer, Statistic
from callme.lab.scenarios.parts import ends, inbound
from callme.lab.script import Answer, Ignore, Refuse, Ring, Scenario
from callme.lab.truth import Truth
from callme.setup import hooks
from tests.live.company import Company, now
from tests.live.process import toml
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

KEY = "0123456789abcdef0123456789abcdef"
DEADLINE_S = 1.5
MACHINE_S = 1.5
"""What dialplan and telephones of a busy machine take by themselves."""
RING_S = 3
GROUP, BY_AGI, BY_CURL, ELSEWHERE = "74950000003", "74950000011", "74950000013", "74950000004"
DARYA, EGOR, UNTELEPHONED = "105", "106", 1
NAME = "Ольга Белова"
SEARCH = "telephony.externalCall.searchCrmEntities"
VIP = "UF_CRM_VIP"
STEER = (
    {"to": ["responsible"], "client": "vip", "even_if": ["off-duty"], "ring_s": RING_S},
    {"to": ["responsible"], "line": [ELSEWHERE], "ring_s": RING_S, "then": "ext-group,600"},
    {"to": ["responsible"], "ring_s": RING_S},
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Steered(Company):
    """A company whose PBX asks who calls, of FreePBX's plan of Macro where Asterisk still has that. `bare`:
    no text of ours is in its dialplan at all."""

    def __init__(self, release: Release, *, bare: bool = False) -> None:
        super().__init__(release, vip={"field": VIP})
        self.web_port, self.agi_port = free_port(), free_port()
        base = f"127.0.0.1:{self.web_port}"
        agi = hooks.agi("office", f"127.0.0.1:{self.agi_port}", KEY).text
        curl = hooks.curl("office", f"http://{base}", KEY).text
        source = hooks.lookup_source("office", "127.0.0.1", self.web_port, KEY)
        custom = hooks.ring().text + _only(agi, BY_AGI, "callme-agi") + _only(curl, BY_CURL, "callme-curl")
        custom = "" if bare else custom
        self.lab = Lab(
            release,
            replace(
                scenarios.OPTIONS,
                lookup=f"http://{source.username}:{source.password}@{base}/{source.path}?{source.query}",
                custom=custom,
            ),
        )

    def _config(self) -> Path:
        file = super()._config()
        text = file.read_text("utf-8").replace('"127.0.0.1:0"', f'"127.0.0.1:{self.web_port}"')
        text += f"[routing]\n{toml({'key': KEY, 'agi': f'127.0.0.1:{self.agi_port}'})}\n"
        text += "".join(f"[[steer]]\n{toml(rule)}\n" for rule in STEER)
        file.write_text(text, "utf-8")
        return file

    def client(self, number: str, of: str, name: str = NAME) -> Customer:
        """A contact of that employee."""
        user = self.user(of)
        return self.portal.office.add_customer("CONTACT", name, assigned_by=user, phones=(f"+{number}",))

    async def call(
        self, number: str, phones: dict[str, Ring], line: str = GROUP, talk_s: float = 1.0
    ) -> Played:
        """A customer calls, is answered by somebody and hangs up; what the telephones saw."""
        leg = f"c1-{number}"
        steps = (inbound(number, line), ends(leg, talk_s))
        return await self.lab.play(Scenario("routing", steps, Truth(()), phones))

    async def recorded(self, played: Played, number: str) -> Statistic:
        """The one record that the portal has of that number."""
        await self.settled(played.started, number=number)
        (record,) = self.records(f"+{number}", played.started)
        return record


def _only(text: str, did: str, sub: str) -> str:
    """The hook for one number instead of every number, so that several stand side by side."""
    return text.replace("_[+0-9].", did).replace("callme-in", sub)


def shown(played: Played, extension: str) -> str:
    """What that telephone's display read."""
    return next(one.detail for one in played.seen if (one.leg, one.what) == (extension, "shown"))


def rung(played: Played) -> list[str]:
    """The telephones that rang, in order."""
    return [one.leg for one in played.seen if one.what == "invite"]


def waited(played: Played) -> float:
    """From the customer's call to the first ring."""
    call = next(one.at for one in played.seen if one.what == "call")
    return next(one.at for one in played.seen if one.what == "invite") - call


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=["16", pytest.param("22", marks=pytest.mark.long)]
)
async def company(request: pytest.FixtureRequest) -> AsyncIterator[Steered]:
    async with Steered(request.param) as company:
        yield company


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=["16", pytest.param("22", marks=pytest.mark.long)]
)
async def bare(request: pytest.FixtureRequest) -> AsyncIterator[Steered]:
    async with Steered(request.param, bare=True) as company:
        yield company


ALL: dict[str, Ring] = {"101": Answer(1), "102": Ignore(), "103": Ignore()}


@pytest.mark.parametrize(
    ("line", "number"),
    [(GROUP, "79000009601"), (BY_AGI, "79000009602"), (BY_CURL, "79000009603")],
    ids=["lookup source", "FastAGI", "CURL"],
)
async def test_the_responsible_rings_alone_and_reads_the_name(
    company: Steered, line: str, number: str
) -> None:
    company.client(number, DARYA)
    played = await company.call(number, {DARYA: Answer(1)}, line)
    assert rung(played) == [DARYA]
    assert NAME in shown(played, DARYA)
    assert waited(played) < DEADLINE_S + MACHINE_S
    record = await company.recorded(played, number)
    assert (record.code, record.user) == ("200", company.user(DARYA))


async def test_an_unknown_caller_takes_the_ordinary_route_under_his_number(company: Steered) -> None:
    number = "79000009604"
    played = await company.call(number, ALL)
    assert sorted(rung(played)) == ["101", "102", "103"]
    assert number in shown(played, "101")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (GROUP, "79000009605"),
        pytest.param(BY_AGI, "79000009606", marks=pytest.mark.long),
        pytest.param(BY_CURL, "79000009607", marks=pytest.mark.long),
        pytest.param(ELSEWHERE, "79000009608", marks=pytest.mark.long),
    ],
    ids=["lookup source", "FastAGI", "CURL", "another place"],
)
async def test_whom_he_does_not_answer_goes_on_to_the_ordinary_route(
    company: Steered, line: str, number: str
) -> None:
    company.client(number, DARYA)
    beyond: dict[str, Ring] = {"101": Answer(1), "102": Ignore(), "103": Ignore(), EGOR: Ignore()}
    played = await company.call(number, {DARYA: Ignore(), **beyond}, line)
    assert rung(played)[0] == DARYA
    assert "101" in rung(played)
    assert rung(played).count(DARYA) == 1
    assert NAME in shown(played, "101")
    rang = next(one.at for one in played.seen if (one.leg, one.what) == ("101", "invite"))
    assert RING_S - 1 < rang - played.at(DARYA, "invite") < RING_S + MACHINE_S
    record = await company.recorded(played, number)
    assert (record.code, record.user) == ("200", company.user("101"))


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [(GROUP, "79000009609", "603"), (GROUP, "79000009617", "486"), (BY_AGI, "79000009618", "603")],
)
async def test_a_call_that_he_declines_goes_on_at_once(
    company: Steered, line: str, number: str, code: str
) -> None:
    company.client(number, DARYA)
    beyond: dict[str, Ring] = {**ALL, EGOR: Ignore()}
    played = await company.call(number, {DARYA: Refuse(code, 0.5), **beyond}, line)
    rang = next(one.at for one in played.seen if (one.leg, one.what) == ("101", "invite"))
    assert rang - played.at(DARYA, "refuse") < MACHINE_S


async def test_who_is_not_there_is_not_rung(company: Steered) -> None:
    number = "79000009610"
    company.portal.office.users[company.user("106")].extension = "107"  # without a telephone
    company.client(number, "107")
    played = await company.call(number, ALL)
    assert sorted(rung(played)) == ["101", "102", "103"]
    assert NAME in shown(played, "101")


async def test_after_his_workday_he_is_rung_for_important_clients_alone(company: Steered) -> None:
    ordinary, important = "79000009623", "79000009624"
    company.client(ordinary, DARYA)
    company.client(important, DARYA).own[VIP] = "1"
    darya = company.portal.office.users[company.user(DARYA)]
    darya.workday = "CLOSED"
    try:
        passed_over = await company.call(ordinary, ALL)
        rings = await company.call(important, {DARYA: Answer(1)})
    finally:
        darya.workday = "OPENED"
    assert sorted(rung(passed_over)) == ["101", "102", "103"]
    assert NAME in shown(passed_over, "101")
    assert rung(rings) == [DARYA]


@pytest.mark.long
@pytest.mark.parametrize(("number", "ring"), [("79000009621", Answer(1)), ("79000009622", Ignore())])
async def test_without_a_line_of_dialplan(bare: Steered, number: str, ring: Ring) -> None:
    """The call is moved, and fetched back by us."""
    bare.client(number, DARYA)
    played = await bare.call(number, {DARYA: ring, **ALL})
    assert rung(played)[0] == DARYA
    assert NAME in shown(played, DARYA)
    answered_by = DARYA if isinstance(ring, Answer) else "101"
    assert (answered_by == DARYA) == (rung(played) == [DARYA])
    record = await bare.recorded(played, number)
    assert (record.code, record.user) == ("200", bare.user(answered_by))


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("79000009611", Fault(SEARCH, FaultKind.HANG, seconds=10)),
        ("79000009612", Fault(SEARCH, FaultKind.ERROR)),
        pytest.param("79000009613", Fault(SEARCH, FaultKind.HTML, status=502), marks=pytest.mark.long),
        pytest.param("79000009614", Fault(SEARCH, FaultKind.DROP), marks=pytest.mark.long),
        ("79000009615", None),
    ],
    ids=["10 s", "error", "502", "dropped", "down"],
)
async def test_whatever_the_crm_does_it_rings_in_time(
    company: Steered, number: str, fault: Fault | None
) -> None:
    company.client(number, DARYA)
    if fault is None:
        await company.web.cut()
    else:
        company.portal.faults.add(fault)
    try:
        played = await company.call(number, ALL)
    finally:
        company.portal.faults.clear()
        if fault is None:
            await company.web.mend()
    assert sorted(rung(played)) == ["101", "102", "103"]
    assert number in shown(played, "101")
    assert waited(played) < DEADLINE_S + MACHINE_S


@pytest.mark.long
async def test_killed_while_he_rings_the_dialplan_takes_the_call_back(company: Steered) -> None:
    number, since = "79000009619", now()
    company.client(number, DARYA)
    play = asyncio.create_task(company.call(number, {DARYA: Ignore(), **ALL}))
    log = company.lab.stage.phones.log
    await until(
        lambda: any((one.leg, one.what) == (DARYA, "invite") and one.at >= since for one in log),
        within=20,
        what=f"{DARYA} rings",
    )
    await company.service.kill()
    try:
        played = await play
    finally:
        await company.service.start()
    assert rung(played)[0] == DARYA
    assert "101" in rung(played)
    await company.recorded(played, number)


async def test_who_does_not_know_the_key_learns_and_moves_nothing(company: Steered) -> None:
    number = "79000009616"
    company.client(number, DARYA)
    base = f"http://127.0.0.1:{company.web_port}/lookup/office"
    query = {"number": number, "uniqueid": "1.1", "did": GROUP}
    async with httpx2.AsyncClient() as client:
        answers = [
            await client.get(base, params=query),
            await client.get(base, params={**query, "key": KEY[:-1]}),
            await client.get(f"{base}/extension", params=query, auth=("callme", "wrong")),
        ]
        known = await client.get(base, params=query, auth=("anybody", KEY))
    assert [(one.status_code, one.text) for one in answers] == [(403, "")] * 3
    assert known.text == NAME
    reader, writer = await asyncio.open_connection("127.0.0.1", company.agi_port)
    writer.write(b"agi_network_script: office\nagi_uniqueid: 1.1\nagi_callerid: 7\nagi_arg_1: wrong\n\n")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
