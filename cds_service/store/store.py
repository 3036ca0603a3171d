"""The store as the rest of the service sees it: record, feedback, token memory, health.

The async methods never block the event loop; they hand a job to the writer and await its commit.
`find_card`, `export_feedback`, `rule_activity` and `purge` block: call them from a command or a thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Self, cast

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cds_service.protocol.feedback import FeedbackItem
from cds_service.store import audit, purging, reports
from cds_service.store.commit import (
    ConfigurationJob,
    FeedbackJob,
    GroupCommit,
    Job,
    JtiJob,
    PingJob,
    RecordJob,
    Result,
)
from cds_service.store.engine import make_engine, parse_url, prepare_file
from cds_service.store.errors import StoreConfigError, StoreUnavailable
from cds_service.store.governance import Governance
from cds_service.store.memory import JtiMemory
from cds_service.store.migrate import migrate
from cds_service.store.records import (
    AuditRecord,
    CardFound,
    FeedbackResult,
    FeedbackRow,
    InvocationRecord,
    JtiVerdict,
    Purged,
    RuleActivity,
)
from cds_service.store.rows import (
    IdentifierHash,
    card_rows,
    configuration_values,
    feedback_values,
    invocation_row,
    outcome_rows,
)
from cds_service.store.writer import Counters, Ticket, Writer

QUEUE_CAPACITY = 10_000
JTI_TIMEOUT_S = 0.3
CLOSE_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


class Store:
    """Durable memory of one process, shared with other processes through the database. Use `Store.open`."""

    def __init__(
        self,
        writing: Engine,
        reading: Engine,
        hashed: IdentifierHash,
        *,
        capacity: int,
    ) -> None:
        self.counters = Counters()
        self.more_follow: Callable[[], bool] = lambda: False
        """Whether other calls are about to bring their records, so that a commit should wait a moment for them."""
        self._writing = writing
        self._reading = reading
        self._hashed = hashed
        self._memory = JtiMemory()
        self._group_commit = GroupCommit(writing)
        self._ready = False
        # Migrating happens in `open` or, if the database was away then, in the writer's thread.
        self._migrating = threading.Lock()
        self._writer = Writer(self._commit, self.counters, capacity=capacity)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        hash_key: bytes,
        password: str | None = None,
        required: bool = True,
        capacity: int = QUEUE_CAPACITY,
    ) -> Self:
        """Open the database at a SQLAlchemy URL, migrate it and start the writer.

        Args:
            url: `sqlite:///file` or `postgresql://...`.
            hash_key: the site's secret for hashing identifiers, at least 16 bytes.
            password: of the database user, where the URL does not hold it.
            required: False starts even though the database is away; it is migrated once it comes back.
            capacity: how many writes may wait before new ones are refused.

        Raises:
            StoreConfigError: the URL or the key cannot be used, or a newer version wrote the database.
            StoreUnavailable: the database cannot be reached or written, and it is required.
        """
        parsed = parse_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        try:
            hashed = IdentifierHash(hash_key)
        except ValueError as error:
            raise StoreConfigError(str(error)) from None
        writing = make_engine(parsed, writer=True)
        reading = make_engine(parsed, writer=False)
        store = cls(writing, reading, hashed, capacity=capacity)
        try:
            store._prepare()
        except StoreConfigError:
            store.close()
            raise
        except (SQLAlchemyError, OSError) as error:
            store.counters.last_error_class = type(error).__name__
            if required:
                store.close()
                raise StoreUnavailable(f"the store cannot be opened: {type(error).__name__}") from error
            # The class alone: the text may quote the URL.
            log.error("store_opened_without_database", error_class=type(error).__name__)  # noqa: TRY400
        return store

    def _prepare(self) -> None:
        with self._migrating:
            if not self._ready:
                prepare_file(self._writing.url)
                migrate(self._writing)
                self._ready = True

    def _commit(self, jobs: Sequence[Job]) -> list[Result]:
        if not self._ready:
            self._prepare()
        return self._group_commit(jobs)

    def _queue(self, job: Job) -> asyncio.Future[Result] | None:
        """Hand a job to the writer; None if it takes no more."""
        loop = asyncio.get_running_loop()
        ticket = Ticket(job, loop.create_future(), loop)
        return ticket.future if self._writer.submit(ticket, more_follow=self.more_follow()) else None

    async def _submit(self, job: Job, timeout: float) -> Result:  # noqa: ASYNC109  # part of every call here
        answer = self._queue(job)
        if answer is None:
            raise StoreUnavailable("the queue is full or the store is closed")
        try:
            return await _within(answer, timeout)
        except TimeoutError:
            raise StoreUnavailable("not committed in time") from None

    async def record(self, record: InvocationRecord, timeout: float) -> bool:  # noqa: ASYNC109
        """Write an invocation; True once it is on disk, False if it is not within `timeout` seconds.

        A record that was only late stays queued and is written when the database allows. Never raises:
        whatever goes wrong is counted and logged, and the cards go out regardless. While commits fail or hang
        nobody waits for one.
        """
        try:
            job = RecordJob(
                invocation=invocation_row(record, self._hashed),
                outcomes=outcome_rows(record, self._hashed),
                cards=card_rows(record),
            )
        # Anything: a record that cannot be encoded is a bug, and even a bug must not cost a card.
        except Exception as error:  # noqa: BLE001
            self.counters.add("dropped")
            self.counters.last_error_class = type(error).__name__
            log.error("store_record_unusable", error_class=type(error).__name__)  # noqa: TRY400
            return False
        committed = self._queue(job)
        if committed is None:
            self.counters.add("dropped")
            return False
        if self._writer.stuck:
            _disown(committed)
            self.counters.add("late")
            return False
        try:
            await _within(committed, timeout)
        except TimeoutError:
            self.counters.add("late")
            return False
        except StoreUnavailable:
            return False
        return True

    async def feedback(
        self,
        items: Iterable[FeedbackItem],
        client: str,
        timeout: float,  # noqa: ASYNC109
    ) -> FeedbackResult:
        """Append feedback of one client. Sending the same batch again changes nothing.

        Raises:
            StoreUnavailable: not committed within `timeout` seconds, so it must not be acknowledged.
        """
        values = feedback_values(items, client, datetime.now(UTC))
        result = await self._submit(FeedbackJob(client=client, values=values), timeout)
        return cast("FeedbackResult", result)

    async def remember_jti(
        self,
        client: str,
        jti: str,
        body_hash: str,
        expires: float,
        timeout: float = JTI_TIMEOUT_S,  # noqa: ASYNC109
    ) -> JtiVerdict:
        """Judge a token id and remember it until `expires` (seconds since 1970, skew included).

        If the database does not answer in time the memory of this process decides alone, and that is
        counted: a database failure must not turn valid callers away.
        """
        now = time.time()
        key = self._hashed("jti", client, jti)
        known = self._memory.judge(key, body_hash, now)
        if known is not None:
            return known
        job = JtiJob(key=key, client=client, body_hash=body_hash, seen_at=now, expires_at=expires)
        try:
            if self._writer.stuck:
                raise StoreUnavailable("commits fail or hang")  # noqa: TRY301  # one place decides what follows
            result = cast("JtiVerdict", await self._submit(job, timeout))
        except StoreUnavailable:
            self.counters.add("unshared_jtis")
            # Another call with the same id may have been judged while this one waited.
            result = self._memory.judge(key, body_hash, now) or JtiVerdict.NEW
        # Only a first sight is kept: after another verdict this body is not the one the id belongs to.
        if result is JtiVerdict.NEW:
            self._memory.add(key, body_hash, now, expires)
        return result

    def note_configuration(
        self, before: str | None, after: str, changed: Iterable[str], engine_version: str
    ) -> None:
        """Keep that another configuration is in force from now on; `changed` names its parts. Does not wait.

        `before` is None at a start.
        """
        values = configuration_values(before, after, changed, engine_version, datetime.now(UTC))
        if (kept := self._queue(ConfigurationJob(values=values))) is not None:
            _disown(kept)

    async def healthy(self, timeout: float = 0.5) -> bool:  # noqa: ASYNC109
        """Whether a write transaction can be had within `timeout` seconds."""
        try:
            await self._submit(PingJob(), timeout)
        except StoreUnavailable:
            return False
        return True

    @property
    def up(self) -> bool:
        """False while commits fail or hang, or the database has not been reached yet."""
        return self._ready and not self._writer.stuck

    @property
    def waiting(self) -> int:
        """How many writes are queued."""
        return self._writer.waiting

    def find_card(self, uuid: str, client: str | None = None) -> CardFound | None:
        """The card of that uuid, if on record (and given to that client, if one is named). Blocks."""
        return reports.find_card(self._reading, uuid, client)

    def export_feedback(
        self, *, comments: bool = False, since: datetime | None = None
    ) -> Iterator[FeedbackRow]:
        """All feedback with its cards, oldest first, received since then. Blocks.

        `comments` adds what users typed: free text that may name a patient.
        """
        return reports.export_feedback(self._reading, comments=comments, since=since)

    def rule_activity(self, *, since: datetime | None = None) -> list[RuleActivity]:
        """Outcomes counted by day, client, service, rule, version and mode. Blocks."""
        return reports.rule_activity(self._reading, since=since)

    @property
    def governance(self) -> Governance:
        """Figures for the governance page; its methods block."""
        return Governance(self._reading)

    def export_records(self, *, since: datetime | None = None) -> Iterator[AuditRecord]:
        """Every invocation with its outcomes and cards, oldest first, from then on. Blocks."""
        return audit.export_records(self._reading, since=since)

    def purgeable(self, older_than: datetime) -> Purged:
        """What `purge` would delete. Blocks."""
        return purging.purgeable(self._reading, older_than)

    def purge(self, older_than: datetime) -> Purged:
        """Delete what was recorded before that moment. Blocks."""
        # A connection of its own that takes the write lock at BEGIN; the writer's belongs to its thread.
        engine = make_engine(self._writing.url, writer=True)
        try:
            return purging.purge(engine, older_than)
        finally:
            engine.dispose()

    def close(self, timeout: float = CLOSE_TIMEOUT_S) -> None:
        """Write what waits for at most `timeout` seconds, then let go of the database. Safe to repeat."""
        self._writer.close(timeout)
        self._group_commit.close()
        self._writing.dispose()
        self._reading.dispose()


async def _within(answer: asyncio.Future[Result], seconds: float) -> Result:
    """The answer, or TimeoutError. A third of the price of `asyncio.timeout`, which would cancel the caller."""
    alarm = answer.get_loop().call_later(seconds, _give_up, answer)
    try:
        return await answer
    finally:
        alarm.cancel()


def _give_up(answer: asyncio.Future[Result]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def _disown(answer: asyncio.Future[Result]) -> None:
    """Let an answer that nobody waits for any more fail quietly: the writer has counted and logged it."""
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
