"""Brings a database to the schema of this version. Forward only; `open_store` calls `upgrade` by itself.

An older program runs on a newer schema (migrations only add), so a revision that is not known here is left
alone.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def upgrade(connection: Connection, to: str = "head") -> str | None:
    """Migrates inside the caller's transaction; answers with the revision the database then has."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision == scripts.get_current_head() or (revision is not None and revision not in known):
        return revision
    command.upgrade(config, to)
    return MigrationContext.configure(connection).get_current_revision()
