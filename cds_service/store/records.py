"""What goes into the store and what comes out of it.

Records carry plain identifiers; the store replaces them by keyed hashes before anything is written.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec


def new_id() -> str:
    """Unique id whose text order is the order of creation, so that inserts land at the end of an index."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(8)}"


class OutcomeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule said in one invocation. `order` is the draft order's id as the client sent it."""

    rule: str
    version: str
    mode: str
    outcome: str
    indicator: str | None = None
    order: str | None = None


class CardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One card that was returned. `suggestions` maps each suggestion uuid to what it offered.

    The mapping value is a short key of ours (`remove-order`, `lab.calcium`), never text about a patient;
    feedback names suggestions by uuid only, so without it nobody could tell later what was accepted.
    """

    uuid: str
    rule: str
    version: str
    indicator: str
    topic: str
    mode: str
    suggestions: Mapping[str, str] = {}


class InvocationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a service, ready to be written.

    `at` is the wall clock of the call and needs a zone; `as_of` is the clinical clock the rules used.
    `gaps` and `timings_ms` (milliseconds by stage) are stored as JSON and must hold no patient data.
    `shadow` is true when no rule of the call ran live.
    """

    at: datetime
    client: str
    service: str
    hook: str
    status: int
    id: str = msgspec.field(default_factory=new_id)
    hook_instance: str | None = None
    patient: str | None = None
    user: str | None = None
    as_of: date | datetime | str | None = None
    gaps: tuple[str | Mapping[str, str], ...] = ()
    timings_ms: Mapping[str, float] = {}
    config_hash: str = ""
    engine_version: str = ""
    shadow: bool = False
    outcomes: tuple[OutcomeRecord, ...] = ()
    cards: tuple[CardRecord, ...] = ()


class KeptFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """One stored item: the rule of its card (None: not on record), what was done, and the reason as sent."""

    rule: str | None
    outcome: str
    reason: str | None


class FeedbackResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: every item is either stored now or was there already.

    `unknown` counts the stored items whose card this client was never given: a lost record, or a made-up
    or foreign id. They are answered like all others, so that nobody can probe for cards.
    """

    stored: int = 0
    duplicates: int = 0
    unknown: int = 0
    kept: tuple[KeptFeedback, ...] = ()


class JtiVerdict(StrEnum):
    """Whether a token id was seen before (trust T5)."""

    NEW = "new"
    REPEAT = "repeat-same-body"
    """Same token, same body, moments ago: a gateway's retry, to be answered again."""
    REPLAY = "replay"


class CardFound(msgspec.Struct, frozen=True, kw_only=True):
    """A card on record, with the invocation it came from. `at` is UTC, ISO 8601."""

    uuid: str
    invocation: str
    client: str
    service: str
    at: str
    rule: str
    version: str
    indicator: str
    topic: str
    mode: str
    suggestions: dict[str, str]


class FeedbackRow(msgspec.Struct, frozen=True, kw_only=True):
    """One feedback item joined with its card; the card's fields are None when the card is not on record.

    Times are ISO 8601. `outcome_timestamp` is UTC if the client sent a zone, else exactly what it sent.
    `accepted` names what the accepted suggestions offered, where known, else their uuids.
    `user` is the keyed hash of the user reference. `comment` is None unless it was asked for.
    """

    client: str
    card: str
    outcome: str
    outcome_timestamp: str
    received_at: str
    accepted: tuple[str, ...]
    reason_system: str | None
    reason_code: str | None
    reason_display: str | None
    comment: str | None
    invocation: str | None
    at: str | None
    service: str | None
    hook: str | None
    user: str | None
    rule: str | None
    version: str | None
    indicator: str | None
    topic: str | None
    mode: str | None


class AuditCard(msgspec.Struct, frozen=True):
    """A card that was returned, as the audit export names it."""

    uuid: str
    topic: str
    indicator: str


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation as it stands in the store; `patient`, `user` and the outcomes' `order` are keyed hashes.

    `at` is UTC, ISO 8601.
    """

    id: str
    at: str
    client: str
    service: str
    hook: str
    status: int
    patient: str | None
    user: str | None
    as_of: str | None
    gaps: tuple[str, ...]
    config_hash: str
    engine_version: str
    outcomes: tuple[OutcomeRecord, ...]
    cards: tuple[AuditCard, ...]


class Purged(msgspec.Struct, frozen=True):
    """How many invocations (with their outcomes and cards), feedback items and configuration changes."""

    invocations: int
    feedback: int
    configurations: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.invocations + self.feedback + self.configurations


class RuleActivity(msgspec.Struct, frozen=True, kw_only=True):
    """How often one rule version gave one outcome for one client and service on one UTC day."""

    day: str
    client: str
    service: str
    rule: str
    version: str
    mode: str
    outcome: str
    count: int
    last_at: str
