"""What is read of a problem or a medicine only when somebody asks, as the facts see it."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from cds_service.facts.dates import When
from cds_service.facts.record import Record
from cds_service.localise.text import Text


class Begun(Protocol):
    """When a problem began and when it was recorded, as far as was sent; read when somebody asks."""

    @property
    def onset(self) -> When | None: ...
    @property
    def recorded(self) -> When | None: ...
    @property
    def unreadable(self) -> bool: ...


class DailyDose(Record, frozen=True, gc=False):
    """A daily amount worked out from structured dosage; `text` shows the arithmetic."""

    amount: Decimal
    unit: str
    text: Text


class Course(Protocol):
    """How and for how long a medicine is taken, and why; each part is read when somebody asks for it."""

    @property
    def started(self) -> When | None: ...
    @property
    def ended(self) -> When | None: ...
    @property
    def route(self) -> str | None:
        """`oral`, `iv`, `sc`, `im`, `topical`, `other`; None when not given."""

    @property
    def daily_dose(self) -> DailyDose | None: ...
    @property
    def dose_given(self) -> bool:
        """A structured dose was sent, whether or not it could be worked out."""

    @property
    def days(self) -> int | None:
        """Planned length of the course in days; None when not given."""

    @property
    def as_needed(self) -> bool: ...
    @property
    def single_dose(self) -> bool: ...
    @property
    def reasons(self) -> frozenset[str]:
        """Value sets of the coded reasons for the order."""
