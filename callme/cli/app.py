"""The commands and their options. Each body lives in a module of its own and is imported only when it is
asked for.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from callme.cli.tongue import language, say
from callme.wording import Phrase

# No completion: it would edit the user's shell start files. No rich: it costs 100 ms at each start.
app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help=say(
        Phrase(
            "CallMe joins an Asterisk or FreePBX phone system to a CRM.",
            "CallMe соединяет телефонию Asterisk или FreePBX с CRM.",
        )
    ),
)


class _Tongues(StrEnum):
    EN = "en"
    RU = "ru"


def _help(en: str, ru: str) -> str:
    return say(Phrase(en, ru))


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help=_help("configuration file [callme.toml]", "файл конфигурации [callme.toml]")
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help=_help("print JSON for a program", "вывести JSON для программы"))
]


@app.callback()
def _common(
    lang: Annotated[
        _Tongues | None, typer.Option("--lang", help=_help("language of the messages", "язык сообщений"))
    ] = None,
) -> None:
    """Options of every command; `--lang` is heard by `cli.tongue` before the parser runs."""


@app.command(help=_help("Run the service until it is stopped.", "Запустить сервис и работать до остановки."))
def run(config: ConfigOption = None) -> None:
    """`callme run`."""
    from callme.cli.configured import configured

    settings = configured(config)
    from callme import service

    raise typer.Exit(service.run(settings) or 0)


@app.command(
    help=_help("Check the configuration, the PBX and the portals.", "Проверить конфигурацию, АТС и порталы.")
)
def check(
    config: ConfigOption = None,
    why: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help=_help("explain where calls on this line go", "объяснить, куда идут звонки на эту линию"),
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=_help("explain whose channel this is, e.g. PJSIP/101-0000001a", "объяснить, чей это канал"),
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`callme check`."""
    from callme.cli import check as body

    raise typer.Exit(body.check(config, why, channel or (), as_json=as_json))


@app.command(
    help=_help(
        "Look closely: files, network, PBX, portal, people, service; with cures.",
        "Проверить подробно: файлы, сеть, АТС, портал, люди, служба; с лечением.",
    )
)
def doctor(
    config: ConfigOption = None,
    fix: Annotated[
        bool, typer.Option("--fix", help=_help("put right what is safe", "исправить то, что безопасно"))
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tar.gz",
            help=_help("pack a support bundle, secrets masked", "собрать архив для поддержки, без секретов"),
        ),
    ] = None,
    call: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FROM TO",
            help=_help(
                "make a test call and tell it as the CRM would be told",
                "сделать пробный звонок и рассказать, что узнала бы CRM",
            ),
        ),
    ] = None,
    etc: Annotated[
        Path,
        typer.Option(metavar="DIR", help=_help("Asterisk's folder", "папка Asterisk"), show_default=True),
    ] = Path("/etc/asterisk"),
    as_json: JsonOption = False,
) -> None:
    """`callme doctor`."""
    from callme.cli import doctor as body

    raise typer.Exit(body.doctor(config, as_json=as_json, fix=fix, bundle=bundle, call=call or (), etc=etc))


@app.command(help=_help("List the calls that were seen.", "Показать звонки."))
def calls(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=_help("how many", "сколько"))] = 20,
    only_open: Annotated[
        bool, typer.Option("--open", help=_help("only calls that go on", "только текущие"))
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """`callme calls`."""
    from callme.cli import calls as body

    raise typer.Exit(body.calls(config, limit=limit, only_open=only_open, as_json=as_json))


@app.command(
    help=_help(
        "List what portals have not taken yet, or retry it.",
        "Показать недоставленное в порталы или повторить.",
    )
)
def deliveries(
    config: ConfigOption = None,
    retry: Annotated[
        int | None,
        typer.Option(metavar="ID", help=_help("try this delivery again", "повторить эту доставку")),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`callme deliveries`."""
    from callme.cli import deliveries as body

    raise typer.Exit(body.deliveries(config, retry=retry, as_json=as_json))


@app.command(
    help=_help(
        "Forget all calls of a number, for good: for who asks for it.",
        "Навсегда забыть все звонки номера — для того, кто об этом просит.",
    )
)
def forget(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help=_help("the outside number", "внешний номер"))
    ],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_help("do not ask", "не спрашивать"))] = False,
    as_json: JsonOption = False,
) -> None:
    """`callme forget`."""
    from callme.cli import forget as body

    raise typer.Exit(body.forget(config, number, yes=yes, as_json=as_json))


@app.command(
    help=_help(
        "Tell what a recorded AMI stream would have told the CRM.",
        "Что узнала бы CRM из записанного потока AMI.",
    )
)
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.ami", help=_help("recorded stream", "запись потока"))],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """`callme replay`."""
    from callme.cli import replay as body
    from callme.cli.configured import configured

    settings = configured(config) if config else None
    raise typer.Exit(body.replay(file, settings, as_json=as_json, language=language()))


@app.command(
    help=_help(
        "Record what the PBX says, for a replay or a bug report.",
        "Записать, что сообщает АТС: для разбора или сообщения об ошибке.",
    )
)
def record(
    config: ConfigOption = None,
    pbx: Annotated[str | None, typer.Option(metavar="ID", help=_help("which PBX", "какую АТС"))] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help=_help("where the files go", "куда положить файлы"))
    ] = Path(),
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=_help("name of the files [PBX and time]", "имя файлов [АТС и время]")
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0, help=_help("end by itself after so long", "закончить самому через столько")),
    ] = 0,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help=_help("every event, not only those CallMe reads", "все события, а не только нужные")
        ),
    ] = False,
    no_scrub: Annotated[
        bool,
        typer.Option(
            "--no-scrub",
            help=_help("leave real numbers and names in", "оставить настоящие номера и имена"),
        ),
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER",
            help=_help(
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
    help=_help(
        "Compare what CallMe would have told the CRM with what the other connector told.",
        "Сравнить, что передал бы в CRM CallMe, с тем, что передал другой коннектор.",
    )
)
def shadow(
    config: ConfigOption = None,
    days: Annotated[
        float, typer.Option(min=0.01, max=366, help=_help("of how many days", "за сколько дней"))
    ] = 7,
    as_json: JsonOption = False,
) -> None:
    """`callme shadow`."""
    from callme.cli import shadow as body

    raise typer.Exit(body.shadow(config, days=days, as_json=as_json))


@app.command(
    "import-callme",
    help=_help(
        "Move over from the old CallMe scripts: their config.php becomes ours.",
        "Перейти со старых скриптов CallMe: их config.php становится нашей конфигурацией.",
    ),
)
def import_callme(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help=_help("where their config.php lies", "где лежит их config.php")),
    ],
    dialplan: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help=_help(
                "their dialplan, e.g. /etc/asterisk/extensions_custom.conf; may be repeated",
                "их диалплан, например /etc/asterisk/extensions_custom.conf; можно повторять",
            ),
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=_help("write our configuration", "записать нашу конфигурацию")),
    ] = None,
    show_old_hooks: Annotated[
        bool,
        typer.Option(
            "--show-old-hooks",
            help=_help(
                "show, as a patch, the dialplan without their lines",
                "показать в виде патча диалплан без их строк",
            ),
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """`callme import-callme`."""
    from callme.cli import moving as body

    raise typer.Exit(
        body.import_callme(folder, dialplan or (), write, show_old_hooks=show_old_hooks, as_json=as_json)
    )


@app.command(
    help=_help(
        "Set CallMe up: PBX, CRM, service; asks, tries, shows what it writes.",
        "Настроить CallMe: АТС, CRM, служба; спросит, проверит, покажет, что запишет.",
    )
)
def setup(
    config: ConfigOption = None,
    answers: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help=_help("answers beforehand", "ответы заранее")),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="TABLE.KEY=VALUE",
            help=_help(
                "one answer, e.g. pbx.host=10.0.0.5; may be repeated",
                "один ответ, например pbx.host=10.0.0.5; можно повторять",
            ),
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help=_help("ask nothing, write", "ничего не спрашивать, записать")),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_help("write nothing", "ничего не записывать"))
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help=_help("take everything back", "вернуть всё, как было")),
    ] = False,
    moving_over: Annotated[
        bool,
        typer.Option(
            "--moving-over",
            help=_help(
                "understand the old PHP scripts' dialplan meanwhile",
                "пока понимать и диалплан старых PHP-скриптов",
            ),
        ),
    ] = False,
    asterisk: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help=_help(
                "how to start Asterisk's program, e.g. “docker exec pbx asterisk” [asterisk]",
                "как запустить программу Asterisk, например «docker exec pbx asterisk» [asterisk]",
            ),
        ),
    ] = "",
    etc: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=_help("Asterisk's folder [/etc/asterisk]", "папка Asterisk [/etc/asterisk]")
        ),
    ] = None,
    root: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help=_help("another tree in place of /; no command is run", "другое дерево вместо /; без команд"),
        ),
    ] = Path("/"),
) -> None:
    """`callme setup`."""
    from callme.cli import setup as body

    raise typer.Exit(
        body.setup(
            config,
            answers_file=answers,
            sets=[*(set_ or ()), *(["setup.moving_over=true"] if moving_over else [])],
            root=root,
            etc=etc,
            asterisk=asterisk,
            hands_off=yes,
            dry=dry_run,
            undo=undo,
        )
    )


@app.command(
    help=_help(
        "Show how a PBX asks who calls, and what the rules do with calls.",
        "Показать, как АТС спрашивает, кто звонит, и что правила делают со звонками.",
    )
)
def routing(
    config: ConfigOption = None,
    hooks: Annotated[
        bool, typer.Option("--hooks", help=_help("also the texts for the dialplan", "и тексты для диалплана"))
    ] = False,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            help=_help(
                "what the rules would have done with past calls", "что правила сделали бы с прошлыми звонками"
            ),
        ),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=366, help=_help("so many days back", "на столько дней назад"))
    ] = 7,
    limit: Annotated[
        int,
        typer.Option(min=1, max=10_000, help=_help("at most so many calls", "не больше стольких звонков")),
    ] = 500,
    as_json: JsonOption = False,
) -> None:
    """`callme routing`."""
    from callme.cli import routing as body

    code = body.routing(config, show_hooks=hooks, preview=preview, days=days, limit=limit, as_json=as_json)
    raise typer.Exit(code)


@app.command(
    help=_help(
        "Show the whole path with a real Asterisk on this machine.",
        "Показать весь путь на настоящем Asterisk.",
    )
)
def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help=_help("end by itself, 0 if all went well", "завершиться самому, 0 — всё удалось")
        ),
    ] = False,
) -> None:
    """`callme demo`."""
    from callme.lab import demo as body

    raise typer.Exit(body.main(once, language()) or 0)


@app.command(
    help=_help(
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


@app.command(help=_help("Print the version.", "Показать версию."))
def version() -> None:
    """`callme version`."""
    from callme import __version__

    print(f"callme {__version__}")
