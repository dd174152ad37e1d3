"""`callme setup`: sets CallMe up on this machine by asking, or by what was said beforehand; and takes it all
back.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callme.cli.configured import DEFAULT, INSTALLED
from callme.cli.terminal import Terminal
from callme.cli.tongue import language
from callme.config import Config
from callme.crm.port import Finding
from callme.errors import ConfigError
from callme.pbx.ami import probe
from callme.pbx.ami.session import AmiSettings
from callme.setup import house as houses
from callme.setup.changing import Command
from callme.setup.course import Course
from callme.setup.talk import Trials
from callme.setup.undoing import take_back
from callme.setup.visit import Visit
from callme.setup.wish import Wish, answers
from callme.setup.wizard import set_up
from callme.wording import Phrase

if TYPE_CHECKING:
    from callme.cli.wizard import Door  # only a type here: it brings a web server along

COMMAND_S = 120.0
BAD_CONSOLE = Phrase("--asterisk: {why}", "--asterisk: {why}")


def setup(
    config: Path | None,
    *,
    answers_file: Path | None = None,
    sets: Sequence[str] = (),
    root: Path = Path("/"),
    etc: Path | None = None,
    asterisk: str = "",
    hands_off: bool = False,
    dry: bool = False,
    undo: bool = False,
    door: Door | None = None,
) -> int:
    """Sets up, with a `door` in a browser; 0 when all that was tried works, 1 when something is left to do.
    Raises `ConfigError`, `TroubleError`."""
    wish = Wish(
        config=config or _config(),
        given=answers(answers_file, sets),
        root=root.absolute(),
        etc=etc.absolute() if etc else root.absolute() / houses.ETC.relative_to("/"),
        console=_words(asterisk),
        hands_off=hands_off,
        dry=dry,
    )
    look = partial(houses.look, wish.root, wish.etc, wish.console or ("asterisk",))
    trials = Trials(_try_pbx, _try_portals, _run)
    if door is not None:
        from callme.cli import wizard

        return wizard.serve(Visit(wish, look, trials, language()), door)
    here = look()
    if undo:
        return 0 if take_back(wish, here, Terminal(), trials) else 1
    return 0 if set_up(Course(wish, here, Terminal(), trials, language())) else 1


def _config() -> Path:
    """Where the configuration is, or will be: a server's own place for root, else the current folder."""
    if named := os.environ.get("CALLME_CONFIG"):
        return Path(named)
    return INSTALLED if os.geteuid() == 0 and not DEFAULT.exists() else DEFAULT


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(BAD_CONSOLE.given(why=str(error))) from None


def _try_pbx(settings: AmiSettings) -> list[Finding]:
    seen = asyncio.run(probe.probe(settings))
    return [Finding(one.topic, one.well, one.found, one.cure) for one in seen]


def _try_portals(config: Config) -> list[Finding]:
    from callme.service import check_portals

    return asyncio.run(check_portals(config))


def _run(command: Command) -> tuple[bool, str]:
    """Whether it succeeded, and the last of what it said."""
    try:
        done = subprocess.run(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error.strerror if isinstance(error, OSError) else error)
    said = done.stdout.strip().splitlines()
    return done.returncode == 0, said[-1] if said else f"{done.returncode}"
