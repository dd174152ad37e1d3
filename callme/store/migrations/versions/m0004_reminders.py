"""Cards that depend on whose client it is, and records that remind somebody of a missed call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Document = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

KINDS = "kind IN ('register', 'finish', 'attach', 'remind', 'settle')"
UNSETTLED = sa.text("state IN ('waiting', 'sending', 'refused')")
SENDING = sa.text("state = 'sending'")


def upgrade() -> None:
    op.add_column("lanes", sa.Column("asking", Document))
    allow(KINDS)


def allow(kinds: str) -> None:
    """Deliveries of other kinds than before. For later migrations too, while the table has no other
    columns."""
    if op.get_bind().dialect.name == "sqlite":
        _made_anew(kinds)
    else:
        op.drop_constraint("ck_deliveries_kind", "deliveries")
        op.create_check_constraint("ck_deliveries_kind", "deliveries", kinds)


def _made_anew(kinds: str) -> None:
    """SQLite changes no constraint of a table that is there."""
    columns = (
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("portal", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("payload", Document, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("doubt", sa.Boolean, nullable=False),
        sa.Column("first_at", sa.Double),
        sa.Column("why", Document),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("settled_at", sa.Double),
    )
    op.create_table(
        "deliveries_anew",
        *columns,
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "portal", "call", "kind", "ordinal", name="uq_deliveries_portal_call_kind_ordinal"
        ),
        sa.ForeignKeyConstraint(
            ["portal", "call"], ["lanes.portal", "lanes.call"], name="fk_deliveries_lanes"
        ),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'done', 'refused')", name="ck_deliveries_state"),
        sa.CheckConstraint(kinds, name="ck_deliveries_kind"),
    )
    names = ", ".join(column.name for column in columns)
    op.execute(f"INSERT INTO deliveries_anew ({names}) SELECT {names} FROM deliveries")  # noqa: S608
    op.drop_table("deliveries")
    op.rename_table("deliveries_anew", "deliveries")
    op.create_index(
        "uq_deliveries_one_in_progress",
        "deliveries",
        ["portal", "call"],
        unique=True,
        sqlite_where=SENDING,
    )
    op.create_index(
        "ix_deliveries_unsettled", "deliveries", ["portal", "state", "id"], sqlite_where=UNSETTLED
    )
