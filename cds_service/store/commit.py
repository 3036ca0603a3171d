"""One group of jobs becomes one transaction.

Invocations are most of the traffic, so their INSERTs are compiled once and handed to the driver whole: as blocks
of rows to SQLite, as one JSON array to PostgreSQL. For a group of 64 this takes half and a fifth of the
processor time of an ordinary `execute`.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, Connection, Engine, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from cds_service.store.engine import Turn
from cds_service.store.records import FeedbackResult, JtiVerdict, KeptFeedback
from cds_service.store.rows import Row
from cds_service.store.schema import CARD, CONFIGURATION, FEEDBACK, INVOCATION, JTI, OUTCOME

# A gateway that got no answer tries again within moments; later, the same token is a replay (trust T5).
REPEAT_WINDOW_S = 60
# SQLite and PostgreSQL both limit the parameters of one statement; 500 keys stay far below.
_KEYS_PER_QUERY = 500
# Most rows of one INSERT to SQLite: the driver lets go of the interpreter's lock for every statement, and gets it
# back only when the event loop happens to pause. It keeps 128 statements prepared: one for each table and number.
_BLOCK = 32
_JTI_CLAIMED = ("claim", "body_hash", "seen_at", "expires_at")


@dataclass(slots=True, kw_only=True)
class RecordJob:
    """One invocation with all that belongs to it."""

    invocation: Row
    outcomes: list[Row]
    cards: list[Row]


@dataclass(slots=True, kw_only=True)
class FeedbackJob:
    """One feedback POST; its result is a `FeedbackResult`."""

    client: str
    values: list[dict[str, Any]]


@dataclass(slots=True, kw_only=True)
class JtiJob:
    """One token id; its result is a `JtiVerdict`. Times are seconds since 1970."""

    key: str
    client: str
    body_hash: str
    seen_at: float
    expires_at: float


@dataclass(slots=True, kw_only=True)
class ConfigurationJob:
    """From now on another configuration is in force."""

    values: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class PingJob:
    """Proves that a transaction can be had, and forgets token ids that have expired."""

    now: float = field(default_factory=time.time)


Job = RecordJob | FeedbackJob | JtiJob | ConfigurationJob | PingJob
Result = FeedbackResult | JtiVerdict | None


def verdict(*, known_body: str, seen_at: float, body_hash: str, now: float) -> JtiVerdict:
    """Judge a token id that is known already."""
    if known_body == body_hash and now - seen_at <= REPEAT_WINDOW_S:
        return JtiVerdict.REPEAT
    return JtiVerdict.REPLAY


class GroupCommit:
    """Writes groups of jobs on the engine it was given; for one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        # Kept open: taking it from the pool for every group costs as much as a small INSERT.
        self._connection: Connection | None = None
        self._turn = None if self._postgresql else Turn(engine.url)
        insert_or = postgresql.insert if self._postgresql else sqlite.insert
        self._insert_feedback = (
            insert_or(FEEDBACK)
            .on_conflict_do_nothing()
            .returning(FEEDBACK.c.card_uuid, FEEDBACK.c.outcome, FEEDBACK.c.reason_code)
        )
        claim = insert_or(JTI)
        self._sql = {table: self._insert_rows(table) for table in (INVOCATION, OUTCOME, CARD)}
        # A key that has expired counts as never seen, so it may be claimed anew.
        self._claim_sql = self._compiled(
            claim.on_conflict_do_update(
                index_elements=[JTI.c.key],
                set_={name: claim.excluded[name] for name in _JTI_CLAIMED},
                where=JTI.c.expires_at < claim.excluded.seen_at,
            )
        )

    @property
    def _postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def _insert_rows(self, table: Table) -> str:
        if not self._postgresql:
            return self._compiled(insert(table))
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        values = ", ".join(
            f"(row ->> {position})::{column.type.compile(self._engine.dialect)}"
            for position, column in enumerate(table.columns)
        )
        # Names and types are those of our own schema.
        return f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM jsonb_array_elements(%s) AS row'  # noqa: S608

    def _compiled(self, statement: ClauseElement) -> str:
        return str(statement.compile(self._engine))

    def __call__(self, jobs: Sequence[Job]) -> list[Result]:
        """Commit all jobs together and return their results in order.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: nothing of the group was committed.
        """
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._turn or nullcontext(), self._connection.begin():
                return self._write(self._connection, jobs)
        except (
            BaseException
        ):  # also an end of the process: a half-used connection must not serve the next group
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; the next group takes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._turn is not None:
            self._turn.close()

    def _write(self, connection: Connection, jobs: Sequence[Job]) -> list[Result]:
        self._records(connection, [job for job in jobs if isinstance(job, RecordJob)])
        verdicts = self._jtis(connection, [job for job in jobs if isinstance(job, JtiJob)])
        results: list[Result] = []
        for job in jobs:
            match job:
                case RecordJob():
                    results.append(None)
                case JtiJob():
                    results.append(next(verdicts))
                case FeedbackJob():
                    results.append(self._feedback(connection, job))
                case ConfigurationJob():
                    connection.execute(insert(CONFIGURATION), job.values)
                    results.append(None)
                case PingJob():
                    connection.execute(delete(JTI).where(JTI.c.expires_at < math.floor(job.now)))
                    results.append(None)
        return results

    def _records(self, connection: Connection, jobs: list[RecordJob]) -> None:
        for table, rows in (
            (INVOCATION, [job.invocation for job in jobs]),
            (OUTCOME, [row for job in jobs for row in job.outcomes]),
            (CARD, [row for job in jobs for row in job.cards]),
        ):
            if not rows:
                continue
            if self._postgresql:
                connection.exec_driver_sql(self._sql[table], (msgspec.json.encode(rows).decode(),))
            else:
                self._insert_blocks(connection, self._sql[table], rows)

    def _insert_blocks(self, connection: Connection, sql: str, rows: list[Row]) -> None:
        cursor = connection.connection.cursor()
        try:
            for at in range(0, len(rows), _BLOCK):
                block = rows[at : at + _BLOCK]
                cursor.execute(_several(sql, len(block)), tuple(chain.from_iterable(block)))
        except self._driver_error as error:
            # As SQLAlchemy would have said it.
            raise DBAPIError.instance(None, None, error, self._driver_error, hide_parameters=True) from None

    def _feedback(self, connection: Connection, job: FeedbackJob) -> FeedbackResult:
        if not job.values:
            return FeedbackResult()
        stored = connection.execute(self._insert_feedback, job.values).all()
        cards = sorted({row.card_uuid for row in stored})
        rules: dict[str, str] = {}
        for start in range(0, len(cards), _KEYS_PER_QUERY):
            some = cards[start : start + _KEYS_PER_QUERY]
            query = select(CARD.c.uuid, CARD.c.rule).where(CARD.c.client == job.client, CARD.c.uuid.in_(some))
            rules.update((row.uuid, row.rule) for row in connection.execute(query))
        return FeedbackResult(
            stored=len(stored),
            duplicates=len(job.values) - len(stored),
            unknown=sum(row.card_uuid not in rules for row in stored),
            kept=tuple(
                KeptFeedback(rule=rules.get(row.card_uuid), outcome=row.outcome, reason=row.reason_code)
                for row in stored
            ),
        )

    def _jtis(self, connection: Connection, jobs: list[JtiJob]) -> Iterator[JtiVerdict]:
        """Verdicts for the jobs in order. The unique key decides, between jobs and between processes.

        Every job tries to write its own claim; whoever finds its claim in the row was first.
        """
        if not jobs:
            return iter(())
        claims = [secrets.token_hex(8) for _ in jobs]
        rows = [
            (job.key, job.client, claim, job.body_hash, math.floor(job.seen_at), math.ceil(job.expires_at))
            for job, claim in zip(jobs, claims, strict=True)
        ]
        connection.exec_driver_sql(self._claim_sql, rows)
        marker = "%s" if self._postgresql else "?"
        markers = ", ".join([marker] * len(jobs))
        found = connection.exec_driver_sql(
            f"SELECT key, claim, body_hash, seen_at FROM jti WHERE key IN ({markers})",  # noqa: S608 - as many markers as keys, nothing else
            tuple(job.key for job in jobs),
        )
        owners = {key: (claim, body_hash, seen_at) for key, claim, body_hash, seen_at in found}
        return iter([_judge(job, claim, *owners[job.key]) for job, claim in zip(jobs, claims, strict=True)])


@cache
def _several(insert_one: str, rows: int) -> str:
    """The INSERT for so many rows."""
    head, values = insert_one.rsplit("VALUES ", 1)
    return f"{head}VALUES {', '.join([values] * rows)}"


def _judge(job: JtiJob, claim: str, owner: str, body_hash: str, seen_at: int) -> JtiVerdict:
    if claim == owner:
        return JtiVerdict.NEW
    return verdict(known_body=body_hash, seen_at=seen_at, body_hash=job.body_hash, now=job.seen_at)
