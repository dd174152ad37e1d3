"""The commands and their options. Each body lives in a module of its own and is imported only when it is
asked for.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from callme.cli import onboarding
from callme.cli.options import ConfigOption, JsonOption, told
from callme.cli.tongue import language

# No completion: it would edit the user's shell start files. No rich: it costs 100 ms at each start.
app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help=told(
        "CallMe joins an Asterisk or FreePBX phone system to a CRM.",
        "CallMe соединяет телефонию Asterisk или FreePBX с CRM.",
    ),
)


class _Tongues(StrEnum):
    EN = "en"
    RU = "ru"


@app.callback()
def _common(
    lang: Annotated[
        _Tongues | None, typer.Option("--lang", help=told("language of the messages", "язык сообщений"))
    ] = None,
) -> None:
    """Options of every command; `--lang` is heard by `cli.tongue` before the parser runs."""


app.add_typer(onboarding.commands)


@app.command(help=told("Run the service until it is stopped.", "Запустить сервис и работать до остановки."))
def run(config: ConfigOption = None) -> None:
    """`callme run`."""
    from callme.cli.configured import configured

    settings = configured(config)
    from callme import service

    raise typer.Exit(service.run(settings) or 0)


@app.command(
    help=told("Check the configuration, the PBX and the portals.", "Проверить конфигурацию, АТС и порталы.")
)
def check(
    config: ConfigOption = None,
    why: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help=told("explain where calls on this line go", "объяснить, куда идут звонки на эту линию"),
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=told("explain whose channel this is, e.g. PJSIP/101-0000001a", "объяснить, чей это канал"),
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`callme check`."""
    from callme.cli import check as body

    raise typer.Exit(body.check(config, why, channel or (), as_json=as_json))


@app.command(help=told("List the calls that were seen.", "Показать звонки."))
def calls(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=told("how many", "сколько"))] = 20,
    only_open: Annotated[
        bool, typer.Option("--open", help=told("only calls that go on", "только текущие"))
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """`callme calls`."""
    from callme.cli import calls as body

    raise typer.Exit(body.calls(config, limit=limit, only_open=only_open, as_json=as_json))


@app.command(
    help=told(
        "List what portals have not taken yet, or retry it.",
        "Показать недоставленное в порталы или повторить.",
    )
)
def deliveries(
    config: ConfigOption = None,
    retry: Annotated[
        int | None,
        typer.Option(metavar="ID", help=told("try this delivery again", "повторить эту доставку")),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`callme deliveries`."""
    from callme.cli import deliveries as body

    raise typer.Exit(body.deliveries(config, retry=retry, as_json=as_json))


@app.command(
    help=told(
        "Forget all calls of a number, for good: for who asks for it.",
        "Навсегда забыть все звонки номера — для того, кто об этом просит.",
    )
)
def forget(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help=told("the outside number", "внешний номер"))
    ],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=told("do not ask", "не спрашивать"))] = False,
    as_json: JsonOption = False,
) -> None:
    """`callme forget`."""
    from callme.cli import forget as body

    raise typer.Exit(body.forget(config, number, yes=yes, as_json=as_json))


@app.command(
    help=told(
        "Tell what a recorded AMI stream would have told the CRM.",
        "Что узнала бы CRM из записанного потока AMI.",
    )
)
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.ami", help=told("recorded stream", "запись потока"))],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """`callme replay`."""
    from callme.cli import replay as body
    from callme.cli.configured import configured

    settings = configured(config) if config else None
    raise typer.Exit(body.replay(file, settings, as_json=as_json, language=language()))


@app.command(
    help=told(
        "Record what the PBX says, for a replay or a bug report.",
        "Записать, что сообщает АТС: для разбора или сообщения об ошибке.",
    )
)
def record(
    config: ConfigOption = None,
    pbx: Annotated[str | None, typer.Option(metavar="ID", help=told("which PBX", "какую АТС"))] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help=told("where the files go", "куда положить файлы"))
    ] = Path(),
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=told("name of the files [PBX and time]", "имя файлов [АТС и время]")
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0, help=told("end by itself after so long", "закончить самому через столько")),
    ] = 0,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help=told("every event, not only those CallMe reads", "все события, а не только нужные")
        ),
    ] = False,
    no_scrub: Annotated[
        bool,
        typer.Option(
            "--no-scrub",
            help=told("leave real numbers and names in", "оставить настоящие номера и имена"),
        ),
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER",
            help=told(
                "leave this number in, such as your own line; may be repeated",
                "не заменять этот номер, например свою линию; можно повторять",
            ),
        ),
    ] = None,
) -> None:
    """`callme record`."""
    from callme.cli import record as body

    wish = body.Wish(pbx, out, name, seconds, everything, not no_scrub, tuple(keep or ()))
    raise typer.Exit(body.record(config, wish))


@app.command(
    help=told(
        "Show the whole path with a real Asterisk on this machine.",
        "Показать весь путь на настоящем Asterisk.",
    )
)
def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help=told("end by itself, 0 if all went well", "завершиться самому, 0 — всё удалось")
        ),
    ] = False,
) -> None:
    """`callme demo`."""
    from callme.lab import demo as body

    raise typer.Exit(body.main(once, language()) or 0)


@app.command(
    help=told(
        "A real Asterisk, phones and a sandbox portal to try calls.",
        "Настоящий Asterisk, телефоны и учебный портал.",
    ),
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def lab(context: typer.Context) -> None:
    """`callme lab …`: hands everything on to the lab's own commands, which are heavy to import."""
    from callme.lab import commands

    lab_app: Any = commands.app
    lab_app(context.args, prog_name="callme lab", obj=language())


@app.command(help=told("Print the version.", "Показать версию."))
def version() -> None:
    """`callme version`."""
    from callme import __version__

    print(f"callme {__version__}")
