"""What clinical content tells a screening about one patient, besides the outcome of each rule.

The engine knows no disease: who belongs to the population that is looked for, by which evidence, which named
factors are present and what is worth plotting comes from the content, worked out from the same Facts that the
rules see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.facts.model import Facts
from cds_service.facts.record import Record
from cds_service.facts.units import Analyte
from cds_service.localise.text import Text
from cds_service.rules.answer import Answer


class Membership(Record, frozen=True, gc=False):
    """Does the patient belong to the population, and by which evidence?"""

    answer: Answer
    certainty: str
    """How sure the evidence is, in the words of the content; '' when not a member."""
    cohort: str
    """The group the patient belongs to, members and others."""
    evidence: tuple[str, ...]
    """Forms of evidence found, by id; empty when there is none."""
    kind: str
    """A division of the population that is reported (the modality of dialysis); '' when not recorded."""
    because: str
    sources: tuple[str, ...]


class FactorState(Record, frozen=True, gc=False):
    """One named factor: `present`, `absent`, `unknown` or `not evaluable`."""

    id: str
    label: Text
    state: str


@dataclass(frozen=True, slots=True)
class CitedLine:
    """A line of the scatter plot on which x times y is constant."""

    product: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Two values of the patient that are judged together."""

    x_title: str
    y_title: str
    point: Callable[[Facts], tuple[Decimal, Decimal, date] | None]
    """x, y in the units of the titles, and the day of the sample; None when there is no usable pair."""
    lines: tuple[CitedLine, ...]


@dataclass(frozen=True, slots=True)
class StandingView:
    """What a screening reports."""

    population: str
    """Whom the screening looks for, as in "{population}: 120 of 10,000"."""
    membership: Callable[[Facts], Membership]
    evidence_titles: tuple[tuple[str, str, str], ...]
    """Form of evidence: id, certainty it gives, title."""
    factors: Callable[[Facts], tuple[FactorState, ...]]
    analytes: tuple[Analyte, ...]
    """Results whose age is reported."""
    scatter: Scatter | None = None
    decisive: frozenset[str] = frozenset()
    """Value sets without which nobody is a member: when each list was read in full, every problem carries a code,
    and no problem, procedure or visit is in one of these sets, the answer of `membership` and of every rule on the
    chart is that of an empty record. Empty: not declared, so that everybody is judged."""
    lasting: tuple[Callable[[Facts], object], ...] = ()
    """Case features that look at the patient, problems, procedures and visits alone: what one of them says before
    anything else was read, it says of the whole record as well."""
    note: str = ""
    """What a reader of the report must know; plain text."""
