"""What the last calls of each client brought: shapes only, for the person who connects an EHR.

Kept in memory, per process: names of keys, resource types, code systems and counts; never a value, an id, a name
or a token.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

KEPT = 5
EVERY_S = 1.0
"""One call a second and client is enough for trying out, and costs a busy client nothing."""
UNKNOWN = "unknown caller"


@dataclass(frozen=True, slots=True)
class KeyShape:
    """One key of `prefetch` as it came."""

    key: str
    state: str
    types: dict[str, int]
    """Resource type -> how many."""


@dataclass(frozen=True, slots=True)
class SourceShape:
    """What became of one of our templates."""

    key: str
    state: str
    origin: str
    count: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """The shape of one call."""

    at: datetime
    service: str
    status: int
    problem: str = ""
    """Why it was refused, in our own words."""
    trust: str = ""
    """Whether a token came and was verified."""
    hook: str = ""
    user: str = ""
    """Resource type of `context.userId`."""
    encounter: bool = False
    fhir_server: str = ""
    """`none`, `allowed` or `not on the list`."""
    orders: dict[str, int] = field(default_factory=dict)
    prefetch: tuple[KeyShape, ...] = ()
    sources: tuple[SourceShape, ...] = ()
    systems: dict[str, int] = field(default_factory=dict)
    """Code system -> how many codes."""
    dropped: int = 0
    cards: int = 0


class Received:
    """The last arrivals of each client, the latest first."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Arrival]] = {}
        self._last: dict[str, float] = {}

    def due(self, client: str) -> bool:
        """Whether another call of this client would be noted now."""
        return time.monotonic() - self._last.get(client, -EVERY_S) >= EVERY_S

    def note(self, client: str, arrival: Arrival) -> None:
        """Keep the shape of a call of this client; clients are our own profile ids, so their number is bounded."""
        self._last[client] = time.monotonic()
        self._kept.setdefault(client, deque(maxlen=KEPT)).appendleft(arrival)

    def of(self, client: str) -> tuple[Arrival, ...]:
        return tuple(self._kept.get(client, ()))

    @property
    def clients(self) -> tuple[str, ...]:
        """Clients that called since the process started."""
        return tuple(sorted(self._kept))
