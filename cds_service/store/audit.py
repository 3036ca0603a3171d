"""Reading whole invocations back, for the audit export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, select

from cds_service.store.records import AuditCard, AuditRecord, OutcomeRecord
from cds_service.store.rows import utc_text
from cds_service.store.schema import CARD, INVOCATION, OUTCOME

_BATCH = 500


def export_records(engine: Engine, *, since: datetime | None) -> Iterator[AuditRecord]:
    """Yield invocations oldest first, with what belongs to them, some hundred at a time."""
    after = (utc_text(since) if since is not None else "", "")
    with engine.connect() as connection:
        while rows := _invocations(connection, after):
            yield from _joined(connection, rows)
            after = (rows[-1].at, rows[-1].id)


def read_record(engine: Engine, invocation: str) -> AuditRecord | None:
    """One invocation with what belongs to it."""
    with engine.connect() as connection:
        rows = connection.execute(select(INVOCATION).where(INVOCATION.c.id == invocation)).all()
        return next(_joined(connection, rows), None)


def _invocations(connection: Connection, after: tuple[str, str]) -> Sequence[Row[Any]]:
    at, last = after
    later = INVOCATION.c.at > at if last else INVOCATION.c.at >= at
    query = (
        select(INVOCATION)
        .where(later | ((INVOCATION.c.at == at) & (INVOCATION.c.id > last)))
        .order_by(INVOCATION.c.at, INVOCATION.c.id)
        .limit(_BATCH)
    )
    return connection.execute(query).all()


def _joined(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[AuditRecord]:
    ids = [row.id for row in rows]
    outcomes: dict[str, list[OutcomeRecord]] = defaultdict(list)
    query = select(OUTCOME).where(OUTCOME.c.invocation_id.in_(ids)).order_by(OUTCOME.c.position)
    for row in connection.execute(query):
        outcomes[row.invocation_id].append(
            OutcomeRecord(
                rule=row.rule,
                version=row.version,
                mode=row.mode,
                outcome=row.outcome,
                indicator=row.indicator,
                order=row.order_hash,
            )
        )
    cards: dict[str, list[AuditCard]] = defaultdict(list)
    for row in connection.execute(select(CARD).where(CARD.c.invocation_id.in_(ids)).order_by(CARD.c.uuid)):
        cards[row.invocation_id].append(AuditCard(row.uuid, row.topic, row.indicator))
    for row in rows:
        yield _record(row, tuple(outcomes[row.id]), tuple(cards[row.id]))


def _record(row: Row[Any], outcomes: tuple[OutcomeRecord, ...], cards: tuple[AuditCard, ...]) -> AuditRecord:
    return AuditRecord(
        id=row.id,
        at=row.at,
        client=row.client,
        service=row.service,
        hook=row.hook,
        status=row.status,
        patient=row.patient_hash,
        user=row.user_hash,
        as_of=row.as_of,
        gaps=tuple(str(gap) for gap in msgspec.json.decode(row.gaps)),
        config_hash=row.config_hash,
        engine_version=row.engine_version,
        outcomes=outcomes,
        cards=cards,
    )
