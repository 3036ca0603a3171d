"""A synthetic cohort as content describes it; `population/synthetic` turns it into FHIR resources.

Every figure carries the source it was taken from, or the word "assumed". Shares are probabilities from 0 to 1
and are drawn independently unless said otherwise; days count back from the day of the export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Code:
    """A coding as an EHR writes it: also with a local system, an OID or a spelling of its own."""

    system: str | None
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which a record names a thing; `weight` against the other ways."""

    weight: float
    codes: tuple[Code, ...] = ()
    text: str = ""
    shape: str = ""
    """Name of this shape in the ground truth, when it is an unusual one."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A Condition. `since` is the range of days since its onset; None leaves all dates out."""

    id: str
    wordings: tuple[Wording, ...]
    since: tuple[int, int] | None = (200, 3000)
    clinical: str = "active"
    verification: str = "confirmed"
    site: Code | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    """A Procedure every `every` days, from `first` days ago (a range) until `last` days ago."""

    wordings: tuple[Wording, ...]
    first: tuple[int, int]
    last: int
    every: float


@dataclass(frozen=True, slots=True)
class Visit:
    """An Encounter with a coded reason, some days ago."""

    wordings: tuple[Wording, ...]
    since: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One way in which membership of the population shows, or fails to show, in a record."""

    id: str
    weight: float
    expected: str
    """Certainty the definitions give it (`definite`, `probable`), or '' for evidence that is not enough."""
    why_missed: str = ""
    """For evidence that is not enough: what a reader of a miss should know."""
    diagnoses: tuple[Diagnosis, ...] = ()
    sessions: Sessions | None = None
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """How one laboratory reports an analyte: code, unit as sent, and its size in canonical units."""

    weight: float
    code: Code
    unit: str
    ucum: str | None
    factor: float
    """Amount in this unit for one canonical unit."""
    decimals: int


@dataclass(frozen=True, slots=True)
class Series:
    """A laboratory value or measurement over time.

    `mean` and `between` (standard deviation between patients) are in the canonical unit, `within` is the
    standard deviation from one sample to the next. With `skewed` the values are log-normal around `mean`, and
    both deviations are on the log scale.
    """

    id: str
    units: tuple[Unit, ...]
    mean: float
    between: float
    within: float
    least: float
    most: float
    every: float
    """Days between samples."""
    reference: tuple[float, float] | None
    source: str
    skewed: bool = False
    category: str = "laboratory"
    shifts: Mapping[str, float] = field(default_factory=dict)
    """Diagnosis or drug id -> what it adds to the patient's mean (a factor when `skewed`)."""


@dataclass(frozen=True, slots=True)
class Dose:
    value: float
    unit: str
    code: str
    per_day: float
    route: str


@dataclass(frozen=True, slots=True)
class Drug:
    """A medicine. `started` and, when the course is over, `ended` are ranges of days ago."""

    id: str
    wordings: tuple[Wording, ...]
    dose: Dose | None
    started: tuple[int, int]
    renewed: int = 90
    """A course that goes on is ordered again every so many days."""
    over: float = 0.0
    """Share of courses that have ended."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a group have a diagnosis or take a drug; `given` names what multiplies the share."""

    id: str
    share: float
    source: str
    given: Mapping[str, float] = field(default_factory=dict)
    """Other id -> share in those who have it (instead of `share`)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the cohort, in which everybody belongs to the population (`member`) or nobody does."""

    id: str
    share: float
    member: bool
    ages: tuple[int, int]
    female: float
    evidence: tuple[Evidence, ...] = ()
    female_given: Mapping[str, float] = field(default_factory=dict)
    """Diagnosis id -> share of women among those who have it."""
    diagnoses: tuple[Share, ...] = ()
    drugs: tuple[Share, ...] = ()
    series: tuple[str, ...] = ()
    sampling: float = 1.0
    """Factor on the days between samples: 3 means a third as many."""
    encounters: int = 12
    """Ordinary visits in the last year."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everything a synthetic cohort is made from."""

    title: str
    groups: tuple[Group, ...]
    diagnoses: tuple[Diagnosis, ...]
    drugs: tuple[Drug, ...]
    series: tuple[Series, ...]
    faults: Mapping[str, float]
    """Fault or shape id -> share of resources (see `population/synthetic/faults.py`) it is planted in."""
    gaps: Mapping[str, float]
    """`labs-elsewhere`: no results at all; `labs-stale`: none for 120 days; `no-birth-date`: share of patients."""
    days: int = 365
    """Length of the record of results and visits."""

    def with_members(self, share: float) -> Cohort:
        """The same cohort with this share of members; within members and within the others nothing is shifted."""
        wanted = {True: share, False: 1 - share}
        now = {kind: sum(each.share for each in self.groups if each.member is kind) for kind in wanted}
        groups = [
            replace(each, share=each.share * wanted[each.member] / now[each.member]) for each in self.groups
        ]
        return replace(self, groups=tuple(groups))
