"""Alembic's entry: runs the migrations on the connection that `upgrade` gave. Never run by hand."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
