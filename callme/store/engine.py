"""Opens SQLite as the river needs it, and puts its errors into words with a cure.

`sqlite` uses the writing engine from its one thread, `reading` the reading ones.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.pool import NullPool, QueuePool

from callme.errors import StoreError
from callme.wording import Phrase

BUSY_S = 15.0


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def writing(path: Path) -> Engine:
    """The engine of the writer thread: one connection, WAL, synchronous=FULL, each transaction begins as a
    writer."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        json_serializer=_dumps,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None  # our own BEGIN, below
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")  # NORMAL may lose the last commits when power fails
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA secure_delete=ON")  # who asked to be forgotten is not left in free pages

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        # A deferred transaction that turns into a writer halfway fails at once instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reading(path: Path, connections: int) -> Engine:
    """The engine of pages: connections that cannot write, and never hold up the writer (WAL)."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool if connections else NullPool,
        pool_size=connections,
        json_serializer=_dumps,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")  # one snapshot for all statements of one reading

    return engine


_KNOWN = (
    (
        ("locked", "busy"),
        Phrase("The database {path} is locked", "База {path} занята"),
        Phrase(
            "Another program holds it for longer than {seconds:g} s: close it, or end its transaction",
            "Другая программа держит её дольше {seconds:g} с: закройте её или завершите её транзакцию",
        ),
    ),
    (
        ("readonly", "read-only", "permission denied"),
        Phrase("The database {path} cannot be written", "В базу {path} нельзя писать"),
        Phrase(
            "Give the user that runs CallMe write access to the file and to its folder",
            "Дайте пользователю, под которым работает CallMe, право записи в файл и в его папку",
        ),
    ),
    (
        ("full",),
        Phrase("No space is left for the database {path}", "Для базы {path} не осталось места на диске"),
        Phrase(
            "Free space on that disk; work goes on by itself", "Освободите место; работа продолжится сама"
        ),
    ),
    (
        ("malformed", "not a database", "corrupt"),
        Phrase(
            "{path} is damaged or is no CallMe database", "Файл {path} повреждён или не является базой CallMe"
        ),
        Phrase(
            "Stop CallMe, keep a copy of the file, put a backup in its place "
            "or move it away to begin with an empty one",
            "Остановите CallMe, сохраните копию файла, верните его из резервной копии "
            "или уберите, чтобы начать с пустой базы",
        ),
    ),
    (
        ("unable to open", "no such file", "not a directory"),
        Phrase("The database {path} cannot be opened", "Базу {path} не удаётся открыть"),
        Phrase(
            "Check that its folder exists and may be read and written",
            "Проверьте, что папка существует и доступна для чтения и записи",
        ),
    ),
)
_OTHER = Phrase("The database {path} failed: {words}", "Ошибка базы {path}: {words}")
_OTHER_CURE = Phrase(
    "Look at the disk and its messages (dmesg), then start CallMe again",
    "Проверьте диск и его сообщения (dmesg), затем запустите CallMe снова",
)


def trouble(error: Exception, path: Path) -> StoreError:
    """The database's error in words. Never holds a statement's values: they are numbers and names of
    people."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = str(original)
    lowered = words.lower()
    for marks, problem, cure in _KNOWN:
        if any(mark in lowered for mark in marks):
            return StoreError(problem.given(path=str(path)), cure.given(seconds=BUSY_S))
    return StoreError(_OTHER.given(path=str(path), words=words), _OTHER_CURE)


def said(error: Exception, path: Path) -> Exception:
    """`StoreError` for what the disk, the file or another program did. A fault of our own, such as a broken
    constraint, stays what it is: nobody may wait for that to get better."""
    world = isinstance(error, OSError | sqlite3.Error | DBAPIError)
    if not world or isinstance(error, IntegrityError | ProgrammingError | InterfaceError):
        return error
    failure = trouble(error, path)
    failure.__cause__ = error
    return failure


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns the database's errors into `StoreError`."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise said(error, path) from error
