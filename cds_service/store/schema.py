"""Tables. All times are UTC text of fixed width (`2026-11-21T08:24:00.123456Z`), so text order is time order.

Text rather than a native type: SQLite has none and drops the zone, and this form reads the same everywhere.
There are no foreign keys: one transaction writes an invocation with all that belongs to it, `purge` deletes
in the same way, and feedback may rightly name a card that is not on record.
A change here needs a migration; a test compares this module with what the migrations build.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=optional)


# Without a row id SQLite keeps a table and its key in one tree, not two: fewer pages in every commit.
INVOCATION = Table(
    "invocation",
    METADATA,
    _text("id", key=True),
    _text("at"),
    _text("client"),
    _text("service"),
    _text("hook"),
    Column("status", Integer, nullable=False),
    _text("hook_instance_hash", optional=True),
    _text("patient_hash", optional=True),
    _text("user_hash", optional=True),
    _text("as_of", optional=True),
    _text("gaps"),
    _text("timings_ms"),
    _text("config_hash"),
    _text("engine_version"),
    Column("shadow", Boolean, nullable=False),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

OUTCOME = Table(
    "outcome",
    METADATA,
    _text("invocation_id", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("rule"),
    _text("version"),
    _text("mode"),
    _text("outcome"),
    _text("indicator", optional=True),
    _text("order_hash", optional=True),
    sqlite_with_rowid=False,
)

CARD = Table(
    "card",
    METADATA,
    _text("uuid", key=True),
    _text("invocation_id"),
    _text("client"),
    _text("rule"),
    _text("version"),
    _text("indicator"),
    _text("topic"),
    _text("mode"),
    _text("suggestions"),
    Index(None, "invocation_id"),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    _text("id", key=True),
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
    UniqueConstraint("client", "card_uuid", "outcome", "outcome_timestamp"),
    Index(None, "received_at"),
)

# One row for each start (without `before_hash`) and each reload that changed something; `changed` is a JSON list.
CONFIGURATION = Table(
    "configuration",
    METADATA,
    _text("id", key=True),
    _text("at"),
    _text("before_hash", optional=True),
    _text("config_hash"),
    _text("changed"),
    _text("engine_version"),
    Index(None, "at"),
)

# Seconds since 1970: compared with `exp`, never shown. The key is a hash over client and jti; `claim` is a
# random word by which a writer recognises that its row was the first.
JTI = Table(
    "jti",
    METADATA,
    _text("key", key=True),
    _text("client"),
    _text("claim"),
    _text("body_hash"),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
    sqlite_with_rowid=False,
)
