"""A rule is a record: one recommendation, typed, frozen, without branching, that explains itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cds_service.facts.model import Facts
from cds_service.localise.language import Language
from cds_service.localise.text import Text
from cds_service.rules.criteria import Criterion, Trigger
from cds_service.rules.suggestions import Suggestion


class Indicator(StrEnum):
    """Urgency of a card, as CDS Hooks knows it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Indicator.INFO: 0, Indicator.WARNING: 1, Indicator.CRITICAL: 2}


class Mode(StrEnum):
    """How a rule is run on a service."""

    LIVE = "live"
    SHADOW = "shadow"
    OFF = "off"


Fill = Callable[[Facts], Text | tuple[Text, ...] | None]
"""A named piece of text worked out from the facts. A tuple becomes one bullet per item; nothing is None."""


@dataclass(frozen=True, slots=True)
class FillSpec:
    """A fill and the greatest length its text may have in a summary (an ellipsis counts as one character)."""

    make: Fill
    limit: int
    example: str
    is_date: bool = False
    """A date: where the language writes it longer than English does, it has that room."""

    def room(self, language: Language) -> int:
        """The greatest length in this language."""
        return max(self.limit, language.date_length) if self.is_date else self.limit


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a card's detail. It is left out when `when` is not MET or a fill in it is empty."""

    text: str
    when: Criterion | None = None


@dataclass(frozen=True, slots=True)
class CardText:
    """What a card says: a sentence of at most 139 characters, and lines below it."""

    summary: str
    detail: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """One degree of the recommendation. The first tier whose `when` is MET is shown."""

    indicator: Indicator
    when: Criterion
    summary: str
    consider: tuple[Line, ...] = ()
    why: tuple[Line, ...] = ()
    exceptions: tuple[Line, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    forbids_delete: bool = False
    """No card for this draft may offer to delete it, whatever other rules say."""
    branch: str = ""
    """Word added to the topic code when another tier of the same indicator gives different advice."""
    closing: tuple[Line, ...] = ()
    """Lines that end the detail, whatever had to give way for length."""


@dataclass(frozen=True, slots=True)
class Coded:
    """An override reason: HL7 code and our rule-specific wording."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source, once. `tag` says how it was read: `read`, `secondary` or `memory`."""

    key: str
    label: str
    year: int | None
    tag: str
    doi: str = ""
    pmid: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Cites:
    """What a rule takes from a source, in our own words."""

    citation: Citation
    says: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number the rule compares with, and which side equality falls on."""

    id: str
    text: str
    at_equality: str
    source: str


@dataclass(frozen=True, slots=True)
class Review:
    """Who answers for the content. `draft` until a named clinician has signed."""

    status: str = "draft"
    authored_by: str = "project authors"
    checked_by: str | None = None
    reviewed_on: date | None = None
    next_review: date | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One recommendation. `number` orders rules of equal urgency; `id` equals the file stem."""

    id: str
    number: int
    version: str
    title: str
    trigger: Trigger
    population: tuple[Criterion, ...]
    criteria: tuple[Criterion, ...]
    exclusions: tuple[Criterion, ...]
    suppressions: tuple[Criterion, ...]
    tiers: tuple[Tier, ...]
    when_unknown: CardText
    override_reasons: tuple[Coded, ...]
    evidence: tuple[Cites, ...]
    thresholds: tuple[Threshold, ...]
    data_required: tuple[str, ...]
    source_label: str
    strength: str
    certainty: str
    review: Review = field(default_factory=Review)
    gap_card: bool = True
    """Show a card when an order is in scope and the rule cannot be assessed; False only records it."""
    line_only: bool = False
    """Becomes a line (with its suggestions) of another card for the same order whenever there is one."""
    once_per_response: bool = False
    common_detail: tuple[Line, ...] = ()
    """Lines that every tier's detail ends with."""
