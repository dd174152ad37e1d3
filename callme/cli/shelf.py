"""Opens the database for a command that only looks. A running service is not disturbed."""

from __future__ import annotations

from callme.config import Config
from callme.errors import StoreError
from callme.store import Reading, open_reading
from callme.store.sqlite import path_of
from callme.wording import Phrase


def shelf(config: Config) -> Reading:
    """The database to read from; close it. Raises `StoreError`, also when no service has ever run here."""
    path = path_of(config.service.store)
    if not path.exists():
        raise StoreError(
            Phrase("There is no database {path} yet", "Базы данных {path} ещё нет", {"path": path}),
            Phrase(
                "it is made when the service first starts: callme run --config …",
                "она появится при первом запуске сервиса: callme run --config …",
            ),
        )
    return open_reading(config.service.store)
