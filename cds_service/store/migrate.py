"""Bring the database to the schema of this version, safely when several processes start at once."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from cds_service.store.errors import StoreConfigError

HEAD = "0002"
"""The newest migration."""
# Any number does, as long as every process of this product asks for the same one.
_ADVISORY_LOCK = 0x63_64_73_68_6F_6F_6B
_LOCK_WAIT_S = 60


def migrate(engine: Engine) -> None:
    """Run the outstanding migrations in one transaction that holds a lock against other starters.

    On SQLite the lock is the file's write lock, which BEGIN IMMEDIATE of the writer's engine takes.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or refuses.
        StoreConfigError: the database was written by a newer version.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = '{_LOCK_WAIT_S}s'"))
            # Released with the transaction, so a crash cannot leave it behind.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        if _version(connection) != HEAD:
            _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(connection: Connection) -> None:
    # A start has mostly nothing to migrate, and the library takes as long to import as all of SQLAlchemy.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreConfigError(f"the database does not fit this version: {error}") from error
