"""Each attempt keeps what was asked of the portal and what it answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Document = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    # Null for attempts of before, and for those that asked nothing.
    op.add_column("attempts", sa.Column("exchanges", Document))
