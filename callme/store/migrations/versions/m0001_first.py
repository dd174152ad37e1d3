"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Document = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _calls()
    _lanes()
    _deliveries()
    _attempts()
    _rest()


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("tail", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("talk_s", sa.Double, nullable=False),
        sa.Column("lost", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("view", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_started", "calls", ["started_at", "id"])
    for name in ("pbx", "owner", "line", "disposition", "direction"):
        op.create_index(f"ix_calls_{name}", "calls", [name, "started_at", "id"])
    op.create_index("ix_calls_tail", "calls", ["tail", "started_at"])
    _partial("ix_calls_open", "calls", ["started_at", "id"], "open")
    op.create_table(
        "open_calls",
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("state", Document, nullable=False),
        sa.PrimaryKeyConstraint("pbx", "call", name="pk_open_calls"),
    )


def _lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("portal", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("memory", Document, nullable=False),
        sa.Column("wanted", Document, nullable=False),
        sa.Column("told", Document),
        sa.Column("shown", Document, nullable=False),
        sa.Column("doubted", Document, nullable=False),
        sa.Column("card_tries", sa.Integer, nullable=False),
        sa.Column("card_next_at", sa.Double, nullable=False),
        sa.Column("held", Document),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.Double),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("portal", "call", name="pk_lanes"),
    )
    op.create_index("ix_lanes_due", "lanes", ["portal", "next_at"])
    op.create_index("ix_lanes_call", "lanes", ["call"])
    _partial("ix_lanes_unclosed", "lanes", ["portal"], "NOT closed")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
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
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "portal", "call", "kind", "ordinal", name="uq_deliveries_portal_call_kind_ordinal"
        ),
        sa.ForeignKeyConstraint(
            ["portal", "call"], ["lanes.portal", "lanes.call"], name="fk_deliveries_lanes"
        ),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'done', 'refused')", name="ck_deliveries_state"),
        sa.CheckConstraint("kind IN ('register', 'finish', 'attach')", name="ck_deliveries_kind"),
    )
    _partial(
        "uq_deliveries_one_in_progress", "deliveries", ["portal", "call"], "state = 'sending'", unique=True
    )
    _partial(
        "ix_deliveries_unsettled",
        "deliveries",
        ["portal", "state", "id"],
        "state IN ('waiting', 'sending', 'refused')",
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("portal", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("why", Document),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["portal", "call"], ["lanes.portal", "lanes.call"], name="fk_attempts_lanes"),
    )
    op.create_index("ix_attempts_call", "attempts", ["call", "portal"])


def _rest() -> None:
    op.create_table(
        "portals",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("paused", Document),
        sa.Column("paused_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_portals"),
    )
    op.create_table(
        "anomalies",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("pbx", sa.Text, nullable=False),
        sa.Column("call", sa.Text),
        sa.Column("text", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_anomalies"),
    )
    op.create_index("ix_anomalies_at", "anomalies", ["at"])
    op.create_index("ix_anomalies_call", "anomalies", ["call"])


def _partial(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
