"""The commands by which CallMe comes into a house: set up, examined, told to route, moved over to. `cli.app`
takes them in among the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callme.cli.options import ConfigOption, JsonOption, told

commands = typer.Typer()


@commands.command(
    help=told(
        "Set CallMe up: PBX, CRM, service; asks, tries, shows what it writes.",
        "Настроить CallMe: АТС, CRM, служба; спросит, проверит, покажет, что запишет.",
    )
)
def setup(
    config: ConfigOption = None,
    answers: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help=told("answers beforehand", "ответы заранее")),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="TABLE.KEY=VALUE",
            help=told(
                "one answer, e.g. pbx.host=10.0.0.5; may be repeated",
                "один ответ, например pbx.host=10.0.0.5; можно повторять",
            ),
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help=told("ask nothing, write", "ничего не спрашивать, записать")),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=told("write nothing", "ничего не записывать"))
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help=told("take everything back", "вернуть всё, как было")),
    ] = False,
    moving_over: Annotated[
        bool,
        typer.Option(
            "--moving-over",
            help=told(
                "understand the old PHP scripts' dialplan meanwhile",
                "пока понимать и диалплан старых PHP-скриптов",
            ),
        ),
    ] = False,
    asterisk: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help=told(
                "how to start Asterisk's program, e.g. “docker exec pbx asterisk” [asterisk]",
                "как запустить программу Asterisk, например «docker exec pbx asterisk» [asterisk]",
            ),
        ),
    ] = "",
    etc: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=told("Asterisk's folder [/etc/asterisk]", "папка Asterisk [/etc/asterisk]")
        ),
    ] = None,
    root: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help=told("another tree in place of /; no command is run", "другое дерево вместо /; без команд"),
        ),
    ] = Path("/"),
    web: Annotated[
        bool, typer.Option("--web", help=told("ask in a browser instead", "спрашивать в браузере"))
    ] = False,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS:PORT",
            help=told("with --web: where [127.0.0.1:8099]", "с --web: где [127.0.0.1:8099]"),
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=told("with --web: a certificate, PEM", "с --web: сертификат, PEM")),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=told("with --web: its key, PEM", "с --web: его ключ, PEM")),
    ] = None,
    without_tls: Annotated[
        bool,
        typer.Option(
            "--without-tls",
            help=told(
                "with --web: open to others without TLS all the same",
                "с --web: открыть другим всё равно без TLS",
            ),
        ),
    ] = False,
) -> None:
    """`callme setup`."""
    from callme.cli import setup as body

    door = None
    if web:
        from callme.cli import wizard

        wizard.alone({"--yes": yes, "--dry-run": dry_run, "--undo": undo})
        door = wizard.Door(listen or wizard.LISTEN, tls_cert, tls_key, without_tls)
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
            door=door,
        )
    )


@commands.command(
    help=told(
        "Look closely: files, network, PBX, portal, people, service; with cures.",
        "Проверить подробно: файлы, сеть, АТС, портал, люди, служба; с лечением.",
    )
)
def doctor(
    config: ConfigOption = None,
    fix: Annotated[
        bool, typer.Option("--fix", help=told("put right what is safe", "исправить то, что безопасно"))
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tar.gz",
            help=told("pack a support bundle, secrets masked", "собрать архив для поддержки, без секретов"),
        ),
    ] = None,
    call: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FROM TO",
            help=told(
                "make a test call and tell it as the CRM would be told",
                "сделать пробный звонок и рассказать, что узнала бы CRM",
            ),
        ),
    ] = None,
    pbx: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help=told(
                "on which PBX the test call is made, where there are several",
                "на какой АТС сделать пробный звонок, если их несколько",
            ),
        ),
    ] = "",
    etc: Annotated[
        Path,
        typer.Option(metavar="DIR", help=told("Asterisk's folder", "папка Asterisk"), show_default=True),
    ] = Path("/etc/asterisk"),
    as_json: JsonOption = False,
) -> None:
    """`callme doctor`."""
    from callme.cli import doctor as body

    code = body.doctor(config, as_json=as_json, fix=fix, bundle=bundle, call=call or (), pbx=pbx, etc=etc)
    raise typer.Exit(code)


@commands.command(
    help=told(
        "Show how a PBX asks who calls, and what the rules do with calls.",
        "Показать, как АТС спрашивает, кто звонит, и что правила делают со звонками.",
    )
)
def routing(
    config: ConfigOption = None,
    hooks: Annotated[
        bool, typer.Option("--hooks", help=told("also the texts for the dialplan", "и тексты для диалплана"))
    ] = False,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            help=told(
                "what the rules would have done with past calls", "что правила сделали бы с прошлыми звонками"
            ),
        ),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=366, help=told("so many days back", "на столько дней назад"))
    ] = 7,
    limit: Annotated[
        int,
        typer.Option(min=1, max=10_000, help=told("at most so many calls", "не больше стольких звонков")),
    ] = 500,
    as_json: JsonOption = False,
) -> None:
    """`callme routing`."""
    from callme.cli import routing as body

    code = body.routing(config, show_hooks=hooks, preview=preview, days=days, limit=limit, as_json=as_json)
    raise typer.Exit(code)


@commands.command(
    "import-callme",
    help=told(
        "Move over from the old CallMe scripts: their config.php becomes ours.",
        "Перейти со старых скриптов CallMe: их config.php становится нашей конфигурацией.",
    ),
)
def import_callme(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help=told("where their config.php lies", "где лежит их config.php")),
    ],
    dialplan: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help=told(
                "their dialplan, e.g. /etc/asterisk/extensions_custom.conf; may be repeated",
                "их диалплан, например /etc/asterisk/extensions_custom.conf; можно повторять",
            ),
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=told("write our configuration", "записать нашу конфигурацию")),
    ] = None,
    show_old_hooks: Annotated[
        bool,
        typer.Option(
            "--show-old-hooks",
            help=told(
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


@commands.command(
    help=told(
        "Compare what CallMe would have told the CRM with what the other connector told.",
        "Сравнить, что передал бы в CRM CallMe, с тем, что передал другой коннектор.",
    )
)
def shadow(
    config: ConfigOption = None,
    days: Annotated[
        float, typer.Option(min=0.01, max=366, help=told("of how many days", "за сколько дней"))
    ] = 7,
    as_json: JsonOption = False,
) -> None:
    """`callme shadow`."""
    from callme.cli import shadow as body

    raise typer.Exit(body.shadow(config, days=days, as_json=as_json))
