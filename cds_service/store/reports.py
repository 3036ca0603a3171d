"""Reading the store: cards, feedback joined with what caused it, rule activity.

Every join also compares the client, so one client's feedback can never pick up another client's card.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, Select, and_, func, select

from cds_service.store.records import CardFound, FeedbackRow, RuleActivity
from cds_service.store.rows import utc_text
from cds_service.store.schema import CARD, FEEDBACK, INVOCATION, OUTCOME

_FETCH_BATCH = 500
_DAY_CHARACTERS = len("2026-11-21")


def find_card(engine: Engine, uuid: str, client: str | None) -> CardFound | None:
    """Look a card up by its uuid, for one client or for any."""
    query = (
        select(CARD, INVOCATION.c.service, INVOCATION.c.at)
        .join(INVOCATION, INVOCATION.c.id == CARD.c.invocation_id)
        .where(CARD.c.uuid == uuid)
    )
    if client is not None:
        query = query.where(CARD.c.client == client)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return CardFound(
        uuid=row.uuid,
        invocation=row.invocation_id,
        client=row.client,
        service=row.service,
        at=row.at,
        rule=row.rule,
        version=row.version,
        indicator=row.indicator,
        topic=row.topic,
        mode=row.mode,
        suggestions=_suggestions(row.suggestions),
    )


def _suggestions(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _feedback_query(since: datetime | None) -> Select[Any]:
    query = (
        select(
            FEEDBACK,
            CARD.c.invocation_id,
            CARD.c.rule,
            CARD.c.version,
            CARD.c.indicator,
            CARD.c.topic,
            CARD.c.mode,
            CARD.c.suggestions,
            INVOCATION.c.at,
            INVOCATION.c.service,
            INVOCATION.c.hook,
            INVOCATION.c.user_hash,
        )
        .outerjoin(CARD, and_(CARD.c.uuid == FEEDBACK.c.card_uuid, CARD.c.client == FEEDBACK.c.client))
        .outerjoin(INVOCATION, INVOCATION.c.id == CARD.c.invocation_id)
        .order_by(FEEDBACK.c.received_at, FEEDBACK.c.id)
    )
    return query if since is None else query.where(FEEDBACK.c.received_at >= utc_text(since))


def export_feedback(engine: Engine, *, comments: bool, since: datetime | None) -> Iterator[FeedbackRow]:
    """Yield feedback oldest first, without holding all of it in memory."""
    with engine.connect() as connection:
        streamed = connection.execution_options(yield_per=_FETCH_BATCH)
        for row in streamed.execute(_feedback_query(since)):
            yield _feedback_row(row, comments=comments)


def feedback_of(engine: Engine, invocation: str, *, comments: bool) -> list[FeedbackRow]:
    """The feedback on the cards of one invocation, oldest first."""
    query = _feedback_query(None).where(CARD.c.invocation_id == invocation)
    with engine.connect() as connection:
        return [_feedback_row(row, comments=comments) for row in connection.execute(query)]


def _feedback_row(row: Row[Any], *, comments: bool) -> FeedbackRow:
    offered = {} if row.suggestions is None else _suggestions(row.suggestions)
    accepted = msgspec.json.decode(row.accepted_suggestions, type=tuple[str, ...])
    return FeedbackRow(
        client=row.client,
        card=row.card_uuid,
        outcome=row.outcome,
        outcome_timestamp=row.outcome_timestamp,
        received_at=row.received_at,
        accepted=tuple(offered.get(uuid, uuid) for uuid in accepted),
        reason_system=row.reason_system,
        reason_code=row.reason_code,
        reason_display=row.reason_display,
        comment=row.comment if comments else None,
        invocation=row.invocation_id,
        at=row.at,
        service=row.service,
        hook=row.hook,
        user=row.user_hash,
        rule=row.rule,
        version=row.version,
        indicator=row.indicator,
        topic=row.topic,
        mode=row.mode,
    )


def rule_activity(engine: Engine, *, since: datetime | None) -> list[RuleActivity]:
    """Count outcomes by UTC day, client, service, rule, version and mode."""
    day = func.substr(INVOCATION.c.at, 1, _DAY_CHARACTERS).label("day")
    group = (
        day,
        INVOCATION.c.client,
        INVOCATION.c.service,
        OUTCOME.c.rule,
        OUTCOME.c.version,
        OUTCOME.c.mode,
        OUTCOME.c.outcome,
    )
    query = (
        select(*group, func.count().label("count"), func.max(INVOCATION.c.at).label("last_at"))
        .join(OUTCOME, OUTCOME.c.invocation_id == INVOCATION.c.id)
        # By name: PostgreSQL does not see that two expressions with the same parameters are one.
        .group_by("day", *group[1:])
        .order_by(*group)
    )
    if since is not None:
        query = query.where(INVOCATION.c.at >= utc_text(since))
    with engine.connect() as connection:
        return [RuleActivity(**row) for row in connection.execute(query).mappings()]
