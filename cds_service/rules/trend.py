"""What a trend page shows of one patient: written by the content from the facts, drawn by the engine.

The content decides which values belong together, in which unit they are shown and where the cited reference
lines lie; the engine draws charts, tables and lanes and knows nothing of the disease.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cds_service.facts.dates import When
from cds_service.facts.model import Facts, MedicationState
from cds_service.rules.rule import Citation


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One value at one time, in the unit of its chart.

    `low` equals `high` for a single value, they differ for conflicting results, and one of them is None for
    a bound such as `<5.5`, which is marked but never joined to its neighbours.
    """

    when: When
    low: Decimal | None
    high: Decimal | None
    text: str
    """The value as the table prints it, with its unit."""
    note: str = ""
    preliminary: bool = False
    sources: tuple[str, ...] = ()

    @property
    def exact(self) -> Decimal | None:
        """The value when it is a single number, else None."""
        return self.low if self.low is not None and self.low == self.high else None

    def long_after(self, earlier: TrendPoint, days: int) -> bool:
        """More than `days` days lie between the two: too long for a line to stand for what happened."""
        return self.when.instant - earlier.when.instant > timedelta(days=days)


@dataclass(frozen=True, slots=True)
class TrendLine:
    """Values of one kind, oldest first."""

    label: str
    points: tuple[TrendPoint, ...]


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A cited threshold on a chart, in the chart's unit."""

    value: Decimal
    short: str
    """As it stands beside the line: `goal < 55 (KDOQI)`."""
    text: str
    """What it is and where it comes from, in a sentence."""
    threshold: str
    """Id of the threshold, as the rules' sheets name it."""
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A result that is not drawn, and why. `when` is None for an undated one."""

    what: str
    when: When | None
    as_sent: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class TrendChart:
    """One of the small multiples. No line is drawn over more than `gap_days` days without a value."""

    id: str
    title: str
    unit: str
    decimals: int
    lines: tuple[TrendLine, ...]
    references: tuple[ReferenceLine, ...]
    gap_days: int
    left_out: tuple[LeftOut, ...] = ()
    unreadable: str | None = None
    """Why the source could not be read; a chart without values then means nothing."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LaneBar:
    """One medication over time. `start` None: not recorded. `end` None: until now, or not recorded."""

    label: str
    start: When | None
    end: When | None
    state: MedicationState
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The medicines of one group. `bars` None: the medication list could not be read."""

    title: str
    bars: tuple[LaneBar, ...] | None


@dataclass(frozen=True, slots=True)
class Status:
    """One line about the patient above the charts."""

    label: str
    text: str
    sources: tuple[str, ...] = ()
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """Everything on the page; `days` is how far back it looks from the evaluation time."""

    days: int
    statuses: tuple[Status, ...]
    charts: tuple[TrendChart, ...]
    lanes: tuple[Lane, ...]
    notes: tuple[str, ...] = ()
    """What must be known to read the lanes rightly."""


TrendOf = Callable[[Facts], Trend]
