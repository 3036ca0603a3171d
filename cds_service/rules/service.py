"""A CDS service as content declares it: a hook, the rules on it with their default modes, the data it wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cds_service.facts.units import Analyte
from cds_service.protocol.prefetch import PrefetchTemplate
from cds_service.rules.cohort import Cohort
from cds_service.rules.criteria import Criterion
from cds_service.rules.rule import CardText, Citation, FillSpec, Mode, Rule
from cds_service.rules.standing import StandingView
from cds_service.rules.trend import TrendOf
from cds_service.terminology.codes import Coding
from cds_service.terminology.medication import NameLists
from cds_service.terminology.valueset import Exclusion, ValueSet


@dataclass(frozen=True, slots=True)
class CommonGap:
    """A gap card used instead of a rule's own when `when` is MET (problem list unreadable, age unknown)."""

    when: Criterion
    text: CardText


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An order or referral that a suggestion may create, in words and in the default coding."""

    key: str
    words: str
    coding: Coding | None
    """None: no default coding; a suggestion needs the client's own, else the card names the step in words."""
    laboratory: bool = False

    @property
    def in_a_sentence(self) -> str:
        """The words as they stand inside a sentence; a text of its own for translators."""
        return self.words[0].lower() + self.words[1:]


class Background(Protocol):
    """A statement that is shown on the evidence page and on no card."""

    @property
    def statements(self) -> tuple[str, ...]:
        """Ids of the founding statements it covers."""

    @property
    def text(self) -> str: ...
    @property
    def position(self) -> str:
        """What the content makes of it."""

    @property
    def citations(self) -> tuple[Citation, ...]: ...


@dataclass(frozen=True, slots=True)
class Content:
    """What a content package gives the engine besides rules: codes, analytes, text fills, catalogue."""

    name: str
    version: str
    value_sets: tuple[ValueSet, ...]
    names: NameLists
    exclusions: tuple[Exclusion, ...]
    analytes: tuple[Analyte, ...]
    fills: Mapping[str, FillSpec]
    catalogue: tuple[CatalogueEntry, ...]
    common_gaps: tuple[CommonGap, ...]
    citations: tuple[Citation, ...]
    override_system: str
    topic_system: str
    site_bounds: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Site setting -> least and greatest value a site may set (decimal text)."""
    background: tuple[Background, ...] = ()
    trend: TrendOf | None = None
    """What a trend page shows of a patient; None: this content offers no such page."""
    standing: StandingView | None = None
    """What a screening of many patients reports."""
    cohort: Cohort | None = None
    """The synthetic cohort that `cds-service generate` writes."""
    locales: Path | None = None
    """Folder of the package's own catalogues, `<language>/LC_MESSAGES/cards.po`."""


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule on a service, with its default mode there."""

    rule: Rule
    mode: Mode = Mode.LIVE


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the discovery document."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: tuple[PrefetchTemplate, ...]
    rules: tuple[RuleUse, ...]
    content: Content
    essential: tuple[str, ...] = ()
    """Prefetch keys without which a call without orders cannot be answered (412)."""
    max_cards: int = 3
    detail_limit: int = 1200
    """Greatest length of a card's detail, in characters."""
