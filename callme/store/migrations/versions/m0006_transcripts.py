"""Records that hand over what was said in a call, as text."""

from __future__ import annotations

from callme.store.migrations.versions.m0004_reminders import allow

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KINDS = "kind IN ('register', 'finish', 'attach', 'transcribe', 'remind', 'settle')"


def upgrade() -> None:
    allow(KINDS)
