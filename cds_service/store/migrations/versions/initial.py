"""The first schema: invocations with their outcomes and cards, feedback, token ids.

Written out rather than taken from `schema`, because a migration must stay what it was when it ran.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=optional)


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "invocation",
        _text("id"),
        _text("at"),
        _text("client"),
        _text("service"),
        _text("hook"),
        sa.Column("status", sa.Integer, nullable=False),
        _text("hook_instance_hash", optional=True),
        _text("patient_hash", optional=True),
        _text("user_hash", optional=True),
        _text("as_of", optional=True),
        _text("gaps"),
        _text("timings_ms"),
        _text("config_hash"),
        _text("engine_version"),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invocation"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invocation_at", "invocation", ["at"])
    op.create_table(
        "outcome",
        _text("invocation_id"),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        _text("rule"),
        _text("version"),
        _text("mode"),
        _text("outcome"),
        _text("indicator", optional=True),
        _text("order_hash", optional=True),
        sa.PrimaryKeyConstraint("invocation_id", "position", name="pk_outcome"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "card",
        _text("uuid"),
        _text("invocation_id"),
        _text("client"),
        _text("rule"),
        _text("version"),
        _text("indicator"),
        _text("topic"),
        _text("mode"),
        _text("suggestions"),
        sa.PrimaryKeyConstraint("uuid", name="pk_card"),
    )
    op.create_index("ix_card_invocation_id", "card", ["invocation_id"])
    op.create_table(
        "feedback",
        _text("id"),
        _text("client"),
        _text("card_uuid"),
        _text("outcome"),
        _text("outcome_timestamp"),
        _text("received_at"),
        _text("accepted_suggestions"),
        _text("reason_system", optional=True),
        _text("reason_code", optional=True),
        _text("reason_display", optional=True),
        _text("comment", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint(
            "client",
            "card_uuid",
            "outcome",
            "outcome_timestamp",
            name="uq_feedback_client_card_uuid_outcome_outcome_timestamp",
        ),
    )
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "jti",
        _text("key"),
        _text("client"),
        _text("claim"),
        _text("body_hash"),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_jti"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_jti_expires_at", "jti", ["expires_at"])


def downgrade() -> None:
    """Drop every table."""
    for table in ("jti", "feedback", "card", "outcome", "invocation"):
        op.drop_table(table)
