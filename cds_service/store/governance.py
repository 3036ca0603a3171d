"""Figures for governance: how often rules were judged and fired, what became of their cards, how long calls took.

Every method blocks: call it from a command or a thread. Times are UTC; `since` is included, `until` is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, and_, case, func, select

from cds_service.store.audit import read_record
from cds_service.store.records import AuditRecord, FeedbackRow
from cds_service.store.reports import feedback_of
from cds_service.store.rows import utc_text
from cds_service.store.schema import CARD, FEEDBACK, INVOCATION, OUTCOME

_DAY_CHARACTERS = len("2026-11-21")
_FETCH_BATCH = 2000
_day = func.substr(INVOCATION.c.at, 1, _DAY_CHARACTERS).label("day")


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which records to count."""

    since: datetime
    until: datetime
    client: str | None = None
    rule: str | None = None


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one rule version gave one outcome for one client and service on one day."""

    day: str
    client: str
    service: str
    rule: str
    version: str
    mode: str
    outcome: str
    count: int


class CardCount(msgspec.Struct, frozen=True, kw_only=True):
    """Cards led by one rule version on one day, and how many of them were answered.

    A card counts as accepted if it ever was; as overridden if it was and was never accepted.
    """

    day: str
    client: str
    rule: str
    version: str
    cards: int
    accepted: int
    overridden: int


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one coded reason was given for cards of one rule version on one day."""

    day: str
    client: str
    rule: str
    version: str
    code: str | None
    display: str | None
    count: int


class CallTime(msgspec.Struct, frozen=True, kw_only=True):
    """One call: when, whose, its configuration, and its time over all stages in milliseconds."""

    day: str
    at: str
    client: str
    service: str
    config_hash: str
    ms: float


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a rule fired."""

    invocation: str
    at: str
    client: str
    service: str
    rule: str
    version: str
    mode: str
    indicator: str | None


class Governance:
    """Reads for the governance page, on the store's reading connections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def clients(self) -> list[str]:
        """Every client on record."""
        with self._engine.connect() as connection:
            return sorted(connection.execute(select(INVOCATION.c.client).distinct()).scalars())

    def outcomes(self, window: Window) -> list[OutcomeCount]:
        """Outcomes by day, client, service, rule, version, mode and outcome."""
        group = (
            _day,
            INVOCATION.c.client,
            INVOCATION.c.service,
            *(OUTCOME.c.rule, OUTCOME.c.version, OUTCOME.c.mode, OUTCOME.c.outcome),
        )
        query = (
            select(*group, func.count().label("count"))
            .join(OUTCOME, OUTCOME.c.invocation_id == INVOCATION.c.id)
            # By name: PostgreSQL does not see that two expressions with the same parameters are one.
            .group_by("day", *group[1:])
        )
        if window.rule is not None:
            query = query.where(OUTCOME.c.rule == window.rule)
        return self._rows(_within(query, window), OutcomeCount)

    def cards(self, window: Window) -> list[CardCount]:
        """Cards by day, client, lead rule and version, with what became of them."""
        answers = (
            select(
                FEEDBACK.c.client,
                FEEDBACK.c.card_uuid,
                func.max(case((FEEDBACK.c.outcome == "accepted", 1), else_=0)).label("accepted"),
                func.max(case((FEEDBACK.c.outcome == "overridden", 1), else_=0)).label("overridden"),
            )
            .where(FEEDBACK.c.received_at >= utc_text(window.since))
            .group_by(FEEDBACK.c.client, FEEDBACK.c.card_uuid)
            .subquery()
        )
        group = (_day, CARD.c.client, CARD.c.rule, CARD.c.version)
        only_overridden = case((answers.c.accepted == 1, 0), else_=answers.c.overridden)
        query = (
            select(
                *group,
                func.count().label("cards"),
                func.coalesce(func.sum(answers.c.accepted), 0).label("accepted"),
                func.coalesce(func.sum(only_overridden), 0).label("overridden"),
            )
            .select_from(INVOCATION)
            .join(CARD, CARD.c.invocation_id == INVOCATION.c.id)
            .outerjoin(answers, and_(answers.c.client == CARD.c.client, answers.c.card_uuid == CARD.c.uuid))
            .group_by("day", *group[1:])
        )
        if window.rule is not None:
            query = query.where(CARD.c.rule == window.rule)
        return self._rows(_within(query, window), CardCount)

    def reasons(self, window: Window) -> list[ReasonCount]:
        """Override reasons by day, client, lead rule, version and code."""
        group = (
            *(_day, CARD.c.client, CARD.c.rule, CARD.c.version),
            FEEDBACK.c.reason_code.label("code"),
            FEEDBACK.c.reason_display.label("display"),
        )
        query = (
            select(*group, func.count().label("count"))
            .select_from(FEEDBACK)
            .join(CARD, and_(CARD.c.uuid == FEEDBACK.c.card_uuid, CARD.c.client == FEEDBACK.c.client))
            .join(INVOCATION, INVOCATION.c.id == CARD.c.invocation_id)
            .where(FEEDBACK.c.outcome == "overridden", FEEDBACK.c.received_at >= utc_text(window.since))
            .group_by("day", *group[1:4], FEEDBACK.c.reason_code, FEEDBACK.c.reason_display)
        )
        if window.rule is not None:
            query = query.where(CARD.c.rule == window.rule)
        return self._rows(_within(query, window), ReasonCount)

    def calls(self, window: Window) -> Iterator[CallTime]:
        """Every call with its time, in no order."""
        columns = (
            INVOCATION.c.client,
            INVOCATION.c.service,
            INVOCATION.c.config_hash,
            INVOCATION.c.timings_ms,
        )
        query = _within(select(INVOCATION.c.at, *columns), window)
        decode = msgspec.json.Decoder(dict[str, float]).decode
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=_FETCH_BATCH).execute(query):
                yield CallTime(
                    day=row.at[:_DAY_CHARACTERS],
                    at=row.at,
                    client=row.client,
                    service=row.service,
                    config_hash=row.config_hash,
                    ms=sum(decode(row.timings_ms).values()),
                )

    def fires(self, window: Window, limit: int) -> list[Fire]:
        """The latest times that rules of the window fired, newest first."""
        query = (
            select(
                INVOCATION.c.id.label("invocation"),
                *(INVOCATION.c.at, INVOCATION.c.client, INVOCATION.c.service),
                *(OUTCOME.c.rule, OUTCOME.c.version, OUTCOME.c.mode, OUTCOME.c.indicator),
            )
            .join(OUTCOME, OUTCOME.c.invocation_id == INVOCATION.c.id)
            .where(OUTCOME.c.outcome == "fires")
            .order_by(INVOCATION.c.at.desc(), INVOCATION.c.id, OUTCOME.c.position)
            .limit(limit)
        )
        if window.rule is not None:
            query = query.where(OUTCOME.c.rule == window.rule)
        return self._rows(_within(query, window), Fire)

    def record(self, invocation: str) -> AuditRecord | None:
        """One call with its outcomes and cards."""
        return read_record(self._engine, invocation)

    def feedback(self, invocation: str, *, comments: bool) -> list[FeedbackRow]:
        """What users answered to the cards of one call."""
        return feedback_of(self._engine, invocation, comments=comments)

    def _rows(self, query: Select[Any], kind: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return [kind(**row) for row in connection.execute(query).mappings()]


def _within(query: Select[Any], window: Window) -> Select[Any]:
    query = query.where(INVOCATION.c.at >= utc_text(window.since), INVOCATION.c.at < utc_text(window.until))
    return query if window.client is None else query.where(INVOCATION.c.client == window.client)
