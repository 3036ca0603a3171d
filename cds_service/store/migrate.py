"""Bring the database to the schema of this version, safely when several processes start at once."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

# Any number does, as long as every process of this product asks for the same one.
_ADVISORY_LOCK = 0x63_64_73_68_6F_6F_6B
_LOCK_WAIT_S = 60


def migrate(engine: Engine) -> None:
    """Run the outstanding migrations in one transaction that holds a lock against other starters.

    On SQLite the lock is the file's write lock, which BEGIN IMMEDIATE of the writer's engine takes.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
        alembic.util.CommandError: the database was written by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = '{_LOCK_WAIT_S}s'"))
            # Released with the transaction, so a crash cannot leave it behind.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
