"""When which configuration was in force: one row for each start and each reload that changed something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "configuration",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("before_hash", sa.Text, nullable=True),
        sa.Column("config_hash", sa.Text, nullable=False),
        sa.Column("changed", sa.Text, nullable=False),
        sa.Column("engine_version", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_configuration"),
    )
    op.create_index("ix_configuration_at", "configuration", ["at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("configuration")
