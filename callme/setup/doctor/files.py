"""Whether our files are where they must be and closed to others: configuration, secrets, data folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from callme.config import Config, raw
from callme.setup.doctor.signs import Area, Fix, Level, Sign, well
from callme.wording import Phrase, plain

TOPIC = Phrase("who may read {file}", "кто может читать {file}")
CLOSED = Phrase("its owner alone (mode {mode})", "только владелец (права {mode})")
GROUP = Phrase("its owner and group (mode {mode})", "владелец и группа (права {mode})")
OPEN = Phrase("every user of this machine (mode {mode})", "любой пользователь этой машины (права {mode})")
WRITABLE = Phrase("others may write it (mode {mode})", "в него могут писать другие (права {mode})")
OPEN_MEANS = Phrase("it holds secrets that open the PBX and the CRM", "в нём секреты, открывающие АТС и CRM")
GONE = Phrase("it is not there", "его нет")
GONE_MEANS = Phrase("the service cannot start without it", "без него служба не запустится")
CHMOD = Phrase("chmod {mode} {file}", "chmod {mode} {file}")
DATA = Phrase("data folder {folder}", "папка данных {folder}")
DATA_GOOD = Phrase("is there and may be written", "есть, запись возможна")
DATA_FOREIGN = Phrase("is there; it belongs to user {owner}", "есть, принадлежит пользователю {owner}")
DATA_NONE = Phrase("is not there yet", "её ещё нет")
DATA_MEANS = Phrase(
    "calls are kept in it until the CRM has them", "в ней хранятся звонки, пока их не примет CRM"
)
DATA_CLOSED = Phrase("cannot be written by this user", "этот пользователь не может в неё писать")
MKDIR = Phrase("mkdir -p -m 750 {folder}", "mkdir -p -m 750 {folder}")
CHOWN = Phrase(
    "run CallMe as its owner, or: chown -R {user} {folder}",
    "запускайте CallMe от её владельца или: chown -R {user} {folder}",
)


def examine(config: Config) -> list[Sign]:
    """The signs of a configuration that could be read."""
    signs = [_secret(path) for path in _secret_files(config)]
    return [*signs, _data(config.service.data_dir)]


def _secret_files(config: Config) -> Iterator[Path]:
    """The configuration, the files that it names, and those that portals keep in the data folder."""
    if config.path is not None:
        yield config.path
        base = config.path.absolute().parent
        named = _named(raw(config.path))
        yield from dict.fromkeys(base / name for name in named)
    folder = config.service.data_dir
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        for pattern in ("portals/*", "callme.db"):
            yield from sorted(one for one in folder.glob(pattern) if one.is_file())


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).endswith("_file") and isinstance(inner, str) and key != "ca_file":
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _secret(path: Path) -> Sign:
    topic = TOPIC.given(file=path)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        found = GONE if isinstance(error, FileNotFoundError) else plain(error.strerror)
        return Sign(Area.FILES, Level.ILL, topic, found, GONE_MEANS)
    said = f"{mode:04o}"
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        closed = f"{mode & 0o640:o}"
        cure = CHMOD.given(mode=closed, file=path)
        found = OPEN if mode & stat.S_IROTH else WRITABLE
        fix = Fix(cure, lambda: path.chmod(mode & 0o640))
        return Sign(Area.FILES, Level.ILL, topic, found.given(mode=said), OPEN_MEANS, cure, fix)
    return well(Area.FILES, topic, (GROUP if mode & stat.S_IRGRP else CLOSED).given(mode=said))


def _data(folder: Path) -> Sign:
    topic = DATA.given(folder=folder)
    if not folder.exists():
        cure = MKDIR.given(folder=folder)
        fix = Fix(cure, lambda: folder.mkdir(parents=True, mode=0o750))
        return Sign(Area.FILES, Level.HINT, topic, DATA_NONE, DATA_MEANS, cure, fix)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        cure = CHOWN.given(user=os.geteuid(), folder=folder)
        return Sign(Area.FILES, Level.ILL, topic, DATA_CLOSED, DATA_MEANS, cure)
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        return well(Area.FILES, topic, DATA_FOREIGN.given(owner=owner))
    return well(Area.FILES, topic, DATA_GOOD)
