"""`callme lab …`: a real Asterisk with telephones on this machine, and calls through it.

`up` keeps a lab until Ctrl-C; the other commands find it. Without a running lab, `call` and `play` start one
for themselves.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from callme.config.writing import toml
from callme.lab import asterisk, scenarios
from callme.lab.asterisk import LabError
from callme.lab.desk import Answer, Desk, ask, seen_of, sockets
from callme.lab.dialplan import Options
from callme.lab.lab import Lab
from callme.lab.numbering import DIDS, EXTENSIONS
from callme.lab.story import told
from callme.lab.trial import Trial
from callme.wording import LANGUAGES, Language, Phrase

_spoken: list[Language] = []
"""The language that the caller of `app` gave as its context object, if any."""


def _language() -> Language:
    if _spoken:
        return _spoken[-1]
    around = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ru" if next(filter(None, around), "").startswith("ru") else "en"


def _say(phrase: Phrase) -> None:
    print(phrase.say(_language()), flush=True)


app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
    help="A real Asterisk with telephones on this machine. / Настоящий Asterisk с телефонами на этой машине.",
)  # fmt: skip
call = typer.Typer(no_args_is_help=True, help="Make one call. / Сделать один звонок.")
app.add_typer(call, name="call")


@app.callback()
def begin(context: typer.Context) -> None:
    """Takes the language from `app(…, obj="ru")`."""
    _spoken[:] = [context.obj] if context.obj in LANGUAGES else []


class _Release(StrEnum):
    V16 = "16"
    V22 = "22"


ReleaseOption = Annotated[_Release, typer.Option("--asterisk", help="Asterisk 16 / 22")]
AfterOption = Annotated[
    float, typer.Option("--after", min=0, help="seconds of ringing / сколько секунд звонит")
]
TalkOption = Annotated[
    float, typer.Option("--talk", min=0, help="seconds of talk / сколько секунд разговора")
]
CancelOption = Annotated[
    float | None,
    typer.Option("--cancel", min=0, help="caller gives up after … s / звонящий сдаётся через … с"),
]
AnswerOption = Annotated[
    list[str] | None, typer.Option("--answer", help="extension that answers (repeatable) / кто отвечает")
]
RefuseOption = Annotated[
    list[str] | None, typer.Option("--busy", help="extension that is busy (repeatable) / кто занят")
]


@app.command(help="Put Asterisk and what it needs on this machine. / Установить Asterisk и нужное ему.")
def install(release: ReleaseOption = _Release.V16) -> None:
    """`callme lab install`."""
    folder = asterisk.install(release.value, _say)
    _say(
        Phrase("Asterisk {release}: {folder}", "Asterisk {release}: {folder}").given(
            release=release.value, folder=folder
        )
    )


@app.command(help="Start a lab and keep it until Ctrl-C. / Запустить лабораторию до Ctrl-C.")
def up(
    release: ReleaseOption = _Release.V16,
    ring: Annotated[
        int, typer.Option(min=1, help="seconds a telephone rings / сколько секунд звонит телефон")
    ] = 20,
    dialplan_class: Annotated[bool, typer.Option(help="AMI class dialplan too / и класс dialplan")] = False,
) -> None:
    """`callme lab up`."""
    asyncio.run(_up(release.value, Options(ring_s=ring, dialplan_class=dialplan_class)))


async def _up(release: asterisk.Release, options: Options) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with Lab(release, options, _say) as lab:
        desk = Desk(lab)
        await desk.open()
        lab.listen(lambda seen: _say(told(seen)))
        _say(Phrase("The lab is up. For callme.toml:", "Лаборатория работает. Для callme.toml:"))
        print(toml(lab.config()), flush=True)
        _say(Phrase("Ctrl-C or `callme lab down` ends it.", "Завершить: Ctrl-C или `callme lab down`."))
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(desk.stopped.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await desk.close()


@app.command(help="End every running lab. / Остановить все лаборатории.")
def down() -> None:
    """`callme lab down`."""
    for path, _ in asyncio.run(_running()):
        asyncio.run(_last(path, {"do": "stop"}))
        _say(Phrase("Lab {n} is told to end.", "Лаборатории {n} велено завершиться.").given(n=path.stem))


@app.command(help="What is installed and what runs. / Что установлено и что работает.")
def status(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """`callme lab status`."""
    have = [release.value for release in _Release if asterisk.installed(release.value)]
    running = [answer for _, answer in asyncio.run(_running())]
    if as_json:
        print(json.dumps({"installed": have, "running": running}))
        return
    _say(
        Phrase("Installed: Asterisk {have}", "Установлено: Asterisk {have}").given(
            have=", ".join(have) or "-"
        )
    )
    for lab in running:
        _say(
            Phrase(
                "Running: lab {seat}, Asterisk {asterisk}, AMI {host}:5038",
                "Работает: лаборатория {seat}, Asterisk {asterisk}, AMI {host}:5038",
            ).given(**lab)
        )


@app.command(help="Show the log of a running lab's Asterisk. / Журнал Asterisk работающей лаборатории.")
def logs(lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 50) -> None:
    """`callme lab logs`."""
    running = asyncio.run(_running())
    if not running:
        raise _none()
    text = Path(running[-1][1]["log"]).read_text("utf-8", "replace")
    print("\n".join(text.splitlines()[-lines:]))


@app.command("scenarios", help="List the named scenarios. / Список готовых сценариев.")
def list_scenarios() -> None:
    """`callme lab scenarios`."""
    for name, scenario in scenarios.ALL.items():
        print(f"{name:36} {' '.join(sorted(scenario.uses()))}")


@app.command(help="Play a named scenario. / Сыграть готовый сценарий.")
def play(name: str, release: ReleaseOption = _Release.V16) -> None:
    """`callme lab play`."""
    if name not in scenarios.ALL:
        raise LabError(
            Phrase("There is no scenario {name}.", "Сценария {name} нет.").given(name=name),
            Phrase("See: callme lab scenarios", "Смотрите: callme lab scenarios"),
        )
    _run({"do": "play", "name": name}, release, scenarios.OPTIONS)


@call.command(help="A customer calls a DID. / Клиент звонит на номер офиса.")
def inbound(
    did: Annotated[
        str, typer.Option(help=f"one of {', '.join(did for did in DIDS if did[8:] not in EXTENSIONS)}")
    ] = "74950000003",
    caller: Annotated[str, typer.Option(help="the customer's number / номер клиента")] = "79000000110",
    name: str = "",
    answer: AnswerOption = None,
    busy: RefuseOption = None,
    after: AfterOption = 2,
    talk: TalkOption = 5,
    cancel: CancelOption = None,
    release: ReleaseOption = _Release.V16,
) -> None:
    """`callme lab call inbound`."""
    trial = Trial("inbound", did, caller, name, tuple(answer or ()), tuple(busy or ()), after, talk, cancel)
    _call(trial, release)


@call.command(help="An extension calls a customer. / Сотрудник звонит клиенту.")
def outbound(
    extension: Annotated[str, typer.Option("--from", help="who calls / кто звонит")] = "101",
    number: Annotated[str, typer.Option("--to", help="whom / кому")] = "79000000201",
    answer: Annotated[bool, typer.Option(help="the customer answers / клиент отвечает")] = True,
    busy: Annotated[bool, typer.Option(help="the customer is busy / клиент занят")] = False,
    after: AfterOption = 2,
    talk: TalkOption = 5,
    cancel: CancelOption = None,
    release: ReleaseOption = _Release.V16,
) -> None:
    """`callme lab call outbound`."""
    told_to = (number,) if answer else ()
    _call(
        Trial("outbound", number, extension, "", told_to, (number,) if busy else (), after, talk, cancel),
        release,
    )


@call.command(help="An extension calls a colleague. / Сотрудник звонит коллеге.")
def internal(
    extension: Annotated[str, typer.Option("--from", help="who calls / кто звонит")] = "101",
    to: Annotated[str, typer.Option("--to", help="whom / кому")] = "102",
    answer: Annotated[bool, typer.Option(help="the colleague answers / коллега отвечает")] = True,
    after: AfterOption = 2,
    talk: TalkOption = 5,
    cancel: CancelOption = None,
    release: ReleaseOption = _Release.V16,
) -> None:
    """`callme lab call internal`."""
    _call(Trial("internal", to, extension, "", (to,) if answer else (), (), after, talk, cancel), release)


def _call(trial: Trial, release: _Release) -> None:
    inside = {*trial.answer, *trial.refuse} if trial.kind != "outbound" else set()
    inside |= {trial.caller} if trial.kind != "inbound" else set()
    if strangers := inside - set(EXTENSIONS):
        raise LabError(
            Phrase("The lab has no extension {who}.", "В лаборатории нет номера {who}.").given(
                who=", ".join(sorted(strangers))
            ),
            Phrase("Its extensions: {all}", "Её номера: {all}").given(all=", ".join(EXTENSIONS)),
        )
    _run({"do": "call", "trial": trial.as_json()}, release, replace(Options(), ring_s=20))


def _run(request: Answer, release: _Release, options: Options) -> None:
    """Have it done by the running lab, else by one of our own; tell it line by line; exit code 1 when it
    went wrong."""
    done = asyncio.run(_done(request, release.value, options))
    for file in done["recordings_on_disk"]:
        _say(Phrase("recording: {path}, {seconds} s", "запись: {path}, {seconds} с").given(**file))
    for problem in done["sip_problems"]:
        print(problem, file=sys.stderr)
    if done["sip_problems"]:
        raise typer.Exit(1)


async def _done(request: Answer, release: asterisk.Release, options: Options) -> Answer:
    running = await _running()
    if running:
        return await _last(running[-1][0], request)
    async with Lab(release, options, _say) as lab:
        lab.listen(lambda seen: _say(told(seen)))
        trial = request.get("trial")
        scenario = Trial.read(trial).scenario() if trial else scenarios.by_name(request["name"])
        return (await lab.play(scenario)).as_json()


async def _running() -> list[tuple[Path, Answer]]:
    """Labs that answer; a socket that nobody serves is what a killed lab left, and is removed."""
    found = []
    for path in sockets():
        try:
            found.append((path, await _last(path, {"do": "status"})))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
    return found


async def _last(path: Path, request: Answer) -> Answer:
    answers: AsyncIterator[Answer] = ask(path, request)
    async with aclosing(answers) as stream:  # type: ignore[type-var]
        async for answer in stream:
            if "seen" in answer:
                _say(told(seen_of(answer)))
            elif "error" in answer:
                raise LabError(Phrase(answer["error"]["en"], answer["error"]["ru"]))
            else:
                done: dict[str, Any] = answer["done"]
                return done
    raise LabError(Phrase("The running lab ended meanwhile.", "Работавшая лаборатория завершилась."))


def _none() -> LabError:
    return LabError(
        Phrase("No lab is running.", "Ни одна лаборатория не запущена."),
        Phrase("Start one: callme lab up", "Запустите: callme lab up"),
    )
