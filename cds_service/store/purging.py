"""Deleting what the site no longer keeps, in transactions so small that no answer has to wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Column, Connection, Engine, Table, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.store.errors import StoreUnavailable
from cds_service.store.records import Purged
from cds_service.store.rows import utc_text
from cds_service.store.schema import CARD, CONFIGURATION, FEEDBACK, INVOCATION, OUTCOME

_BATCH = 500
_WITH_INVOCATIONS = (OUTCOME, CARD)
_BY_TIME: tuple[tuple[Table, Column[str]], ...] = (
    (INVOCATION, INVOCATION.c.at),
    (FEEDBACK, FEEDBACK.c.received_at),
    (CONFIGURATION, CONFIGURATION.c.at),
)


@contextmanager
def _told_apart() -> Iterator[None]:
    """A failure of the database as ours; its text may quote a row, so the class must do."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"the store cannot be purged: {type(error).__name__}") from None


def purgeable(engine: Engine, older_than: datetime) -> Purged:
    """Count what is older."""
    before = utc_text(older_than)
    with _told_apart(), engine.connect() as connection:
        numbers = [
            connection.execute(select(func.count()).select_from(table).where(at < before)).scalar_one()
            for table, at in _BY_TIME
        ]
    return Purged(*numbers)


def purge(engine: Engine, older_than: datetime) -> Purged:
    """Delete what is older."""
    before = utc_text(older_than)
    with _told_apart():
        return Purged(*(_purge_table(engine, table, at, before) for table, at in _BY_TIME))


def _purge_table(engine: Engine, table: Table, at: Column[str], before: str) -> int:
    old = select(table.c.id).where(at < before).limit(_BATCH)
    deleted = 0
    while True:
        with engine.begin() as connection:
            ids = list(connection.execute(old).scalars())
            if not ids:
                return deleted
            _delete(connection, table, ids)
            deleted += len(ids)


def _delete(connection: Connection, table: Table, ids: list[str]) -> None:
    if table is INVOCATION:
        for part in _WITH_INVOCATIONS:
            connection.execute(delete(part).where(part.c.invocation_id.in_(ids)))
    connection.execute(delete(table).where(table.c.id.in_(ids)))
