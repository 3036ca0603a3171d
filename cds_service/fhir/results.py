"""Where a FHIR read may go, how long it may take, and what it can come back with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from cds_service.fhir.decode import Dropped, Resource


class FailureReason(StrEnum):
    """Why data could not be read. The value is for records and metrics, `text` for a clinician."""

    NOT_PERMITTED = "not-permitted"
    """401 or 403: token refused or expired, scope missing, record under break-the-glass."""
    NO_ANSWER_IN_TIME = "no-answer-in-time"
    """Nothing, or not everything, had arrived when the time was up."""
    SERVER_BUSY = "server-busy"
    """429 or 503, or all our own places for reads were taken."""
    SERVER_ERROR = "server-error"
    """Another 5xx."""
    UNREACHABLE = "unreachable"
    """No connection: name not found, refused, reset, certificate not trusted."""
    NOT_FHIR = "not-fhir"
    """An answer that is no FHIR JSON of the kind asked for: login page, cut JSON, another type."""
    TOO_LARGE = "too-large"
    """More bytes than we are willing to hold."""
    REDIRECTED = "redirected"
    """3xx. Redirects are never followed: they would carry the token elsewhere."""
    NOT_FOUND = "not-found"
    """404 or 410."""
    NO_ACCESS = "no-access"
    """The caller gave no FHIR server, or none that we may call."""
    ADDRESS_NOT_ALLOWED = "address-not-allowed"
    """The address lies outside the FHIR base, or an id is missing or unsafe. Nothing was sent."""
    REPORTED_PROBLEM = "reported-problem"
    """An OperationOutcome, or a 4xx not listed above."""
    UNEXPECTED = "unexpected"
    """A fault of ours while reading; counted and logged without any value."""

    @property
    def text(self) -> str:
        """Words for a card, as in "calcium could not be checked: no answer in time"."""
        return _TEXTS[self]


_TEXTS = {
    FailureReason.NOT_PERMITTED: "not permitted",
    FailureReason.NO_ANSWER_IN_TIME: "no answer in time",
    FailureReason.SERVER_BUSY: "server busy",
    FailureReason.SERVER_ERROR: "server error",
    FailureReason.UNREACHABLE: "unreachable",
    FailureReason.NOT_FHIR: "not a FHIR answer",
    FailureReason.TOO_LARGE: "answer too large",
    FailureReason.REDIRECTED: "redirected elsewhere",
    FailureReason.NOT_FOUND: "not found",
    FailureReason.NO_ACCESS: "no FHIR access",
    FailureReason.ADDRESS_NOT_ALLOWED: "address not allowed",
    FailureReason.REPORTED_PROBLEM: "reported a problem",
    FailureReason.UNEXPECTED: "could not be read",
}


class Incomplete(StrEnum):
    """Why data that was read may not be all there is; the value is plain text."""

    PAGES = "not all pages were read"
    ENTRIES = "some entries could not be read"
    PROBLEM = "the server reported a problem beside the data"
    FEWER_THAN_TOTAL = "fewer entries arrived than the total says"
    SINGLE = "a single resource arrived where a list was expected"
    OTHER_VALUE = "another prefetch value, which may belong here, could not be read"


class Deadline(msgspec.Struct, frozen=True):
    """A moment on a monotonic clock after which no answer is of use. Passed down, never restarted."""

    expires: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.expires - self.clock())

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.expires, self.clock() + seconds), self.clock)


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """Where one call may read, and with which token. The token is for this call only.

    Attributes:
        base: FHIR base URL, already checked against the client profile's allow-list.
        token: OAuth 2 access token; None for an open server. `repr` never shows it.
        named: The base as the EHR names it, when that differs from the address we reach it at. Links and
            references that arrive under `named` are read under `base`.
    """

    base: str
    token: str | None = field(default=None, repr=False)
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: the resource read, or one Bundle with the entries of all pages.

    `complete` is False when something is known to be missing; `gaps` says what. `seconds` is wall time.
    """

    resource: Resource = field(repr=False)
    complete: bool = True
    dropped: tuple[Dropped, ...] = ()
    seconds: float = 0.0
    gaps: tuple[Incomplete, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer, and why. `dropped` names what came but could not be decoded."""

    reason: FailureReason
    seconds: float = 0.0
    dropped: tuple[Dropped, ...] = ()
