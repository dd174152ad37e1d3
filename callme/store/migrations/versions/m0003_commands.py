"""What portals ask of a PBX is kept before it is acknowledged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Document = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("portal", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("payload", Document, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", Document),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("deadline", sa.Double, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.UniqueConstraint("portal", "ref", name="uq_commands_portal_ref"),
        sa.UniqueConstraint("call", name="uq_commands_call"),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dialled', 'refused', 'expired')", name="ck_commands_state"
        ),
    )
    op.create_index(
        "ix_commands_unclosed",
        "commands",
        ["pbx", "id"],
        sqlite_where=sa.text("NOT closed"),
        postgresql_where=sa.text("NOT closed"),
    )
