"""Moves an installation of the old CallMe scripts over: reads its files, answers what they become.

`portals.registry` offers it to `callme import-callme` and `callme setup`. It reads and never writes; secrets
are in the tables of the answer and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from callme.crm.moving import Edit, Moved
from callme.errors import TroubleError
from callme.portals.bitrix24.callme import dialplan, php
from callme.portals.bitrix24.callme.keys import convert
from callme.wording import Phrase, plain

CONFIG = "config.php"

NO_CONFIG = Phrase("there is no {name} in {folder}", "в {folder} нет файла {name}")
NO_CONFIG_CURE = Phrase(
    "name the folder where CallMeIn.php and config.php lie, such as /var/www/html/callmeplus",
    "укажите папку, где лежат CallMeIn.php и config.php, например /var/www/html/callmeplus",
)
UNREADABLE = Phrase("{file} cannot be read: {why}", "не удаётся прочитать {file}: {why}")
UNREADABLE_CURE = Phrase(
    "run the command as a user who may read it", "запустите команду от имени пользователя, которому это можно"
)
NOT_UNDERSTOOD = Phrase("{file}, line {line}: {why}", "{file}, строка {line}: {why}")
NOT_UNDERSTOOD_CURE = Phrase(
    "put that line right in a copy of the folder and name the copy; PHP itself is never run",
    "исправьте эту строку в копии папки и укажите копию: сам PHP не запускается никогда",
)


class OldCallMe:
    """The `Mover` for CallMe, CallMePlus and their forks."""

    def move(self, folder: Path, dialplans: Sequence[Path]) -> Moved:
        """Reads `config.php` in that folder (or that file), and the old lines of the dialplan files."""
        file = folder / CONFIG if folder.is_dir() else folder
        if not file.is_file():
            raise TroubleError(NO_CONFIG.given(name=CONFIG, folder=folder), NO_CONFIG_CURE)
        try:
            config = php.read(_text(file))
        except php.PhpError as error:
            raise TroubleError(
                NOT_UNDERSTOOD.given(file=file, line=error.line, why=error.why), NOT_UNDERSTOOD_CURE
            ) from None
        texts = {path: _text(path) for path in dialplans}
        globals_: dict[str, str] = {}
        for text in texts.values():
            globals_ |= dialplan.globals_of(text)
        found = convert(config, globals_)
        tables = (("[[pbx]]", found.pbx), ("[[portal]]", {**found.portal, "shadow": True}))
        return Moved(
            tuple(found.keys),
            tables,
            {path: edits for path, text in texts.items() if (edits := self.old_hooks(text))},
        )

    def old_hooks(self, text: str) -> tuple[Edit, ...]:
        """The scripts' own lines in a dialplan file."""
        return dialplan.old_hooks(text)


def _text(file: Path) -> str:
    """Comments of the old files are often in the Windows code page; they are skipped anyway."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        why = plain(error.strerror or error)
        raise TroubleError(UNREADABLE.given(file=file, why=why), UNREADABLE_CURE) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1251", "replace")
