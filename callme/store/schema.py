"""The tables, for SQLite and PostgreSQL alike. Migrations make them; a test holds both to the same shape.

Times are epoch seconds, phrases and views are JSON, names of calls and portals are text and stand in each
key.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# The partial indexes' conditions, for queries: SQLite takes such an index only for its very words.
IS_OPEN = text("calls.open")
IS_UNCLOSED = text("NOT lanes.closed")
IS_UNCLOSED_COMMAND = text("NOT commands.closed")
IS_UNSETTLED = text("deliveries.state IN ('waiting', 'sending', 'refused')")


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The text column in a form for which no index is taken: for questions about the few calls that are
    open, where SQLite, which keeps no figures, would rather walk all calls of that column's value."""
    return column.concat("")


Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pbx", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column(
        "tail", Text, nullable=False
    ),  # the number's digits backwards, so that its end can be searched for
    Column("line", Text, nullable=False),
    Column("owner", Text),
    Column("disposition", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("talk_s", Double, nullable=False),
    Column("lost", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("view", Document, nullable=False),  # calls.model.encode
)
# Each list of the dashboard is one walk along one of these, newest first.
Index("ix_calls_started", calls.c.started_at, calls.c.id)
Index("ix_calls_pbx", calls.c.pbx, calls.c.started_at, calls.c.id)
Index("ix_calls_owner", calls.c.owner, calls.c.started_at, calls.c.id)
Index("ix_calls_line", calls.c.line, calls.c.started_at, calls.c.id)
Index("ix_calls_disposition", calls.c.disposition, calls.c.started_at, calls.c.id)
Index("ix_calls_direction", calls.c.direction, calls.c.started_at, calls.c.id)
Index("ix_calls_tail", calls.c.tail, calls.c.started_at)
Index(
    "ix_calls_open",
    calls.c.started_at,
    calls.c.id,
    sqlite_where=text("open"),
    postgresql_where=text("open"),
)

open_calls = Table(
    "open_calls",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("call", Text, primary_key=True),
    Column("state", Document, nullable=False),  # opaque here; carries its own format version
)

lanes = Table(
    "lanes",
    metadata,
    Column("portal", Text, primary_key=True),
    Column("call", Text, primary_key=True),
    Column("memory", Document, nullable=False),
    Column("wanted", Document, nullable=False),  # extension → since when; written by the river alone
    Column("told", Document),  # the policy's memo; written by the river alone
    Column("shown", Document, nullable=False),
    Column("doubted", Document, nullable=False),
    Column("card_tries", Integer, nullable=False),
    Column("card_next_at", Double, nullable=False),
    Column("held", Document),  # why it stands, as a phrase
    Column("closed", Boolean, nullable=False),  # the portal knows the end
    Column("next_at", Double),  # when it wants attention; null at rest and while held
    Column("created_at", Double, nullable=False),
    Column("asking", Document),  # extensions of `wanted` that depend on whose client it is; the river's
)
Index("ix_lanes_due", lanes.c.portal, lanes.c.next_at)
Index("ix_lanes_call", lanes.c.call)
Index(
    "ix_lanes_unclosed", lanes.c.portal, sqlite_where=text("NOT closed"), postgresql_where=text("NOT closed")
)

UNSETTLED = text("state IN ('waiting', 'sending', 'refused')")
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("portal", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("payload", Document, nullable=False),  # crm.intents.encode
    # waiting → sending → done | refused | waiting (again, in doubt after a lost answer or a kill)
    # refused → waiting, when a person asks for a retry
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("doubt", Boolean, nullable=False),
    Column("first_at", Double),
    Column("why", Document),  # of the last attempt that did not succeed
    Column("created_at", Double, nullable=False),
    Column("settled_at", Double),
    UniqueConstraint("portal", "call", "kind", "ordinal"),
    ForeignKeyConstraint(["portal", "call"], ["lanes.portal", "lanes.call"]),
    CheckConstraint("state IN ('waiting', 'sending', 'done', 'refused')", name="state"),
    CheckConstraint(
        "kind IN ('register', 'finish', 'attach', 'transcribe', 'remind', 'settle')", name="kind"
    ),
)
Index(
    "uq_deliveries_one_in_progress",
    deliveries.c.portal,
    deliveries.c.call,
    unique=True,
    sqlite_where=text("state = 'sending'"),
    postgresql_where=text("state = 'sending'"),
)
Index(
    "ix_deliveries_unsettled",
    deliveries.c.portal,
    deliveries.c.state,
    deliveries.c.id,
    sqlite_where=UNSETTLED,
    postgresql_where=UNSETTLED,
)

attempts = Table(  # one row per attempt that ended; rows are added and never changed
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("portal", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("kind", Text, nullable=False),  # of the record, or `cards`
    Column("ordinal", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("why", Document),
    Column("exchanges", Document),  # [[request, answer], …] without secrets
    ForeignKeyConstraint(["portal", "call"], ["lanes.portal", "lanes.call"]),
)
Index("ix_attempts_call", attempts.c.call, attempts.c.portal)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("portal", Text, nullable=False),
    Column("ref", Text, nullable=False),  # the portal's own id of the call: a repeated click is this row
    Column("pbx", Text, nullable=False),
    Column("call", Text, nullable=False),  # the CallId that it has or would have had
    Column("payload", Document, nullable=False),  # crm.commands.Click
    # waiting → sent → dialled | refused
    # waiting → refused | expired
    Column("state", Text, nullable=False),
    Column("why", Document),  # it was not dialled, as a phrase
    Column("closed", Boolean, nullable=False),  # the end of the portal's call is a delivery, or was one
    Column("created_at", Double, nullable=False),
    Column("deadline", Double, nullable=False),
    Column("sent_at", Double),
    UniqueConstraint("portal", "ref"),
    UniqueConstraint("call"),
    CheckConstraint("state IN ('waiting', 'sent', 'dialled', 'refused', 'expired')", name="state"),
)
Index(
    "ix_commands_unclosed",
    commands.c.pbx,
    commands.c.id,
    sqlite_where=text("NOT closed"),
    postgresql_where=text("NOT closed"),
)

portals = Table(
    "portals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("paused", Document),  # why, as a phrase; null while it is not
    Column("paused_at", Double),
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("pbx", Text, nullable=False),
    Column("call", Text),
    Column("text", Document, nullable=False),  # a phrase
)
Index("ix_anomalies_at", anomalies.c.at)
Index("ix_anomalies_call", anomalies.c.call)

listened = Table(  # rows are added and never changed
    "listened",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
)
Index("ix_listened_call", listened.c.call, listened.c.at)

kept_back = Table(
    "kept_back",
    metadata,
    Column("call", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
)
