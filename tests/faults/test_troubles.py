"""What a person sees who has set something up wrongly: `callme check` names it with the cure, in his
language; `callme run` stays up and says in /readyz what is missing. No secret is shown anywhere.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callme.lab.sandboxes.bitrix24.knobs import Knobs
from callme.lab.sandboxes.bitrix24.server import SandboxPortal
from callme.lab.scenarios.direct import direct_answered
from tests.live.company import Company
from tests.live.process import CALLME, Running, environ, written
from tests.live.until import until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

PBX_SECRET, WEBHOOK_SECRET = "wrongamisecret", "strangerswebhook"


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong, and the words in which a person is told: (English, Russian)."""

    found: tuple[str, str]
    cure: tuple[str, str]
    run: str
    """What the running service says of it."""
    pbx: Mapping[str, Any] = field(default_factory=dict)
    webhook_secret: str = ""
    knobs: Mapping[str, Any] = field(default_factory=dict)
    of_pbx: bool = False
    seen_with_a_call: bool = False
    """The portal lets us know only when we tell it a call."""


TROUBLES = {
    "wrong-secret": Trouble(
        ("refused the login of user “callme”", "отказала во входе пользователю «callme»"),
        ("check username and secret", "проверьте username и secret"),
        "refused the login of user “callme”",
        pbx={"secret": PBX_SECRET},
        of_pbx=True,
    ),
    "unreachable-pbx": Trouble(
        ("cannot connect to 127.0.0.1:", "не удаётся соединиться с 127.0.0.1:"),
        ("→", "→"),
        "cannot connect to 127.0.0.1:",
        pbx={"host": "127.0.0.1", "port": 0},
        of_pbx=True,
    ),
    "wrong-webhook": Trouble(
        ("does not know this webhook", "не знает этот вебхук"),
        ("→ Create an incoming webhook", "→ Создайте в Битрикс24 входящий вебхук"),
        "does not know this webhook",
        webhook_secret=WEBHOOK_SECRET,
    ),
    "missing-scope": Trouble(
        ("missing: Telephony (telephony)", "не хватает: Телефония (telephony)"),
        ("→ Open the webhook in Bitrix24, add the rights", "→ Откройте вебхук в Битрикс24, добавьте права"),
        "right",
        knobs={"scopes": ("crm", "user")},
        seen_with_a_call=True,
    ),
    "webhooks-denied": Trouble(
        ("refuses this method to a webhook", "не разрешает этот метод вебхуку"),
        ("create a local application", "создайте в Битрикс24 локальное приложение"),
        "refuses this method to a webhook",
        knobs={"webhook_telephony": "deny"},
        seen_with_a_call=True,
    ),
}


@dataclass
class Case:
    """One trouble set up on this machine."""

    trouble: Trouble
    config: Path
    secrets: tuple[str, ...]


@pytest_asyncio.fixture(loop_scope="session", params=list(TROUBLES))
async def case(request: pytest.FixtureRequest, town: Company, tmp_path: Path) -> AsyncIterator[Case]:
    trouble = TROUBLES[request.param]
    async with SandboxPortal(Knobs(**{"webhook_telephony": "allow", **trouble.knobs})) as portal:
        webhook = portal.webhook_url
        own = webhook.rstrip("/").rpartition("/")[2]
        if trouble.webhook_secret:
            webhook = webhook.replace(own, trouble.webhook_secret)
        pbx = {**town.lab.config(), **trouble.pbx}
        pbx["port"] = pbx["port"] or _closed_port()
        about = {"id": "main", "crm": "bitrix24", "webhook": webhook, "default_user": 1}
        secrets = (str(pbx["secret"]), trouble.webhook_secret or own)
        yield Case(trouble, written(tmp_path, pbx, about), secrets)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def _check(case: Case, language: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        CALLME, "check", "--lang", language, "--config", str(case.config), env=environ(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_check_names_it_with_the_cure(case: Case, language: str) -> None:
    code, out, err = await _check(case, language)
    assert code == 1
    assert err == ""
    which = ("en", "ru").index(language)
    said = out.split("✘")
    assert len(said) == 2, f"one thing is wrong, so one is told:\n{out}"
    wrong = said[1].partition("✔")[0]
    assert case.trouble.found[which] in wrong
    assert case.trouble.cure[which] in wrong
    for secret in case.secrets:
        assert secret not in out


async def test_the_service_stays_up_and_says_why(case: Case, town: Company) -> None:
    service = Running(case.config)
    await service.start(ready=False)
    try:
        if case.trouble.seen_with_a_call:
            await service.ready()
            await town.lab.play(direct_answered(caller="79000009301"))

        async def told_why() -> dict[str, Any]:
            told = await service.readiness()
            part = told["pbx"]["office"] if case.trouble.of_pbx else told["portals"]["main"]
            return told if case.trouble.run in part.get("why", "") and not part["up"] else {}

        told = await until(told_why, within=20, what=f"/readyz says {case.trouble.run}")
        assert (await service.get("healthz")) == {"alive": True}
        state = await service.get("api/v1/state")
    finally:
        code = await service.stop()
    assert code == 0
    assert "Traceback" not in service.output
    kept = "".join(_dump(file) for file in case.config.parent.rglob("*.sqlite*") if file.suffix != ".shm")
    for secret in case.secrets:
        assert secret not in service.output + repr(told) + repr(state) + kept


def _dump(file: Path) -> str:
    """Every byte of the database, as text: nothing hides in an index or a free page."""
    if file.read_bytes()[:6] == b"SQLite":
        with sqlite3.connect(file) as database:
            assert database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
        database.close()
    return file.read_bytes().decode("latin-1")
