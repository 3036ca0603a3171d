"""Facts: what is known about one patient at one time, frozen.

`None` for a list means "could not be read"; an empty tuple means "read, and there are none". Rules never
see FHIR resources, only these records, each of which names the resource it came from.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from cds_service.facts.dates import When
from cds_service.facts.later import Begun, Course, DailyDose
from cds_service.facts.record import Record
from cds_service.facts.units import Analyte
from cds_service.localise.language import Language
from cds_service.localise.text import Message, Text, Verbatim

T = TypeVar("T")
MUST_NOT = "do-not-perform"
"""Status of a requested procedure that the request forbids."""


class Patient(Record, frozen=True, gc=False):
    birth: When | None
    gender: str | None
    source: str


class Problem(Record, frozen=True, gc=False):
    """A Condition. Refuted and entered-in-error ones never become a Problem."""

    sets: frozenset[str]
    label: str
    """What a card prints: the EHR's text or display with the matching code, `End stage renal disease (N18.6)`."""
    texts: tuple[str, ...]
    coded: bool
    """It carries at least one code, known to us or not."""
    active: bool
    """False = history: inactive, in remission, resolved or abated."""
    verification: str | None
    """`confirmed`, `unconfirmed`, `provisional`, `differential`, `unknown` (another word), or None: not stated."""
    begun: Begun
    abated: When | None
    sites: frozenset[str]
    """Value sets of the coded body sites."""
    source: str

    @property
    def onset(self) -> When | None:
        return self.begun.onset

    @property
    def recorded(self) -> When | None:
        return self.begun.recorded

    @property
    def date_unreadable(self) -> bool:
        """A date of onset or recording was sent that cannot be read."""
        return self.begun.unreadable

    @property
    def since(self) -> When | None:
        """Onset, else the date it was recorded."""
        return self.onset or self.recorded

    @property
    def title(self) -> Text:
        """The label for a card; only our own words for a problem without any are translated."""
        return Verbatim(self.label) if self.texts or self.sets else Message(self.label)


class Sent(Text, Record, frozen=True, gc=False):
    """A quantity as the EHR sent it: `<0.5 mmol/L`."""

    value: Decimal
    comparator: str | None
    unit: str | None

    def render(self, language: Language) -> str:
        text = Message(
            "{comparator}{value} {unit}",
            comparator=self.comparator or "",
            value=self.value,
            unit=self.unit or Message("(no unit)"),
        )
        return text.render(language)


class Bounds(Protocol):
    """A range in the canonical unit of an analyte; an end is None when it is not known."""

    @property
    def low(self) -> Decimal | None: ...
    @property
    def high(self) -> Decimal | None: ...


class Lab(Record, frozen=True, gc=False):
    """One result of one analyte, in the canonical unit. `problem` says why it cannot be used, if so.

    The value is an interval: `low == high` for an exact result; `low` or `high` is None for a result
    such as `<0.5`; both ends differ when the laboratory gave two values for one time.
    """

    analyte: str
    low: Decimal | None
    high: Decimal | None
    unit: str
    as_sent: Text
    when: When | None
    when_is: str
    """`collected` or `reported` (the collection time was not given)."""
    status: str
    problem: Text | None
    excluded: Text | None
    """Why a sound result is left out by design: `drawn after dialysis`."""
    reference: Bounds | None
    """The range that the laboratory calls normal; few rules ask for it."""
    specimen: str | None
    sets: frozenset[str]
    source: str

    @property
    def reference_low(self) -> Decimal | None:
        return None if self.reference is None else self.reference.low

    @property
    def reference_high(self) -> Decimal | None:
        return None if self.reference is None else self.reference.high

    @property
    def preliminary(self) -> bool:
        return self.status == "preliminary"

    @property
    def exact(self) -> Decimal | None:
        """The value when it is a single number, else None."""
        return self.low if self.low is not None and self.low == self.high else None


class Labs(Mapping[str, tuple[Lab, ...]]):
    """Analyte id -> results, newest first, undated ones last. A result is read when somebody asks for it."""

    @abstractmethod
    def of(self, analyte: str, within_days: int | None = None) -> tuple[Lab, ...]:
        """Results at most so many days old, and those without a date, which may be as new; empty when there are none."""

    @abstractmethod
    def newest(self, analyte: str, within_days: int | None = None) -> Iterator[Lab]:
        """The dated ones of these, newest first, each read when it is its turn."""

    @abstractmethod
    def undated(self, analyte: str) -> Sequence[Lab]:
        """Those without a date that can be used."""


class MedicationState(StrEnum):
    """How a MedicationRequest on the list bears on today."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on hold"
    ENDED = "ended"


class Medication(Record, frozen=True, gc=False):
    """A MedicationRequest, from the medication list or as a draft order."""

    sets: frozenset[str]
    name: str
    """Ingredient name of the matched value set; the EHR's own wording when nothing matched."""
    basis: str
    """`code`, `name` (matched by name only) or `none` (not recognised)."""
    product: str | None
    """Product name from our own code lists, which holds the strength."""
    state: MedicationState
    stopped: bool
    """The order is itself a stop: cancelled, stopped, a taper to stop, or must not be given."""
    course: Course
    prior: str | None
    """`MedicationRequest/id` this order replaces."""
    source: str
    coded: bool = True
    """The EHR sent at least one code for the drug, known to us or not."""
    named_by_us: bool = False
    """`name` is ours, so that it may be translated; the EHR's own wording never is."""

    @property
    def title(self) -> Text:
        """The name for a card."""
        return Message(self.name) if self.named_by_us else Verbatim(self.name)

    @property
    def started(self) -> When | None:
        return self.course.started

    @property
    def ended(self) -> When | None:
        return self.course.ended

    @property
    def route(self) -> str | None:
        """`oral`, `iv`, `sc`, `im`, `topical`, `other`; None when not given."""
        return self.course.route

    @property
    def daily_dose(self) -> DailyDose | None:
        return self.course.daily_dose

    @property
    def dose_given(self) -> bool:
        """A structured dose was sent, whether or not it could be worked out."""
        return self.course.dose_given

    @property
    def course_days(self) -> int | None:
        """Planned length of the course; None when not given."""
        return self.course.days

    @property
    def as_needed(self) -> bool:
        return self.course.as_needed

    @property
    def single_dose(self) -> bool:
        return self.course.single_dose

    @property
    def reasons(self) -> frozenset[str]:
        """Value sets of the coded reasons for the order."""
        return self.course.reasons


class Procedure(Record, frozen=True, gc=False):
    """A Procedure that was done, or a requested one when it is an order."""

    sets: frozenset[str]
    label: str
    when: When | None
    status: str
    sites: frozenset[str]
    site_words: tuple[str, ...]
    """Wordings of the coded or written body sites."""
    texts: tuple[str, ...]
    reasons: frozenset[str]
    priority: str | None
    source: str
    date_unreadable: bool = False
    """A date was sent that cannot be read."""

    @property
    def title(self) -> Text:
        """The label for a card; only our own words for a procedure without any are translated."""
        return Verbatim(self.label) if self.texts or self.sets else Message(self.label)


class Encounter(Record, frozen=True, gc=False):
    sets: frozenset[str]
    status: str
    started: When | None
    ended: When | None
    disposition: str | None
    """Code of the discharge disposition (`exp`, `hosp`, ...)."""
    source: str


class Order(Record, frozen=True, gc=False):
    """A draft order that a rule may be about: exactly one of the two is set."""

    reference: str
    medication: Medication | None = None
    procedure: Procedure | None = None
    renewal: bool = False
    """The hook itself says that this is a renewal (medication-refill)."""

    @property
    def sets(self) -> frozenset[str]:
        item = self.medication or self.procedure
        return item.sets if item else frozenset()

    @property
    def name(self) -> str:
        if self.medication:
            return self.medication.name
        return self.procedure.label if self.procedure else "order"

    @property
    def title(self) -> Text:
        """The name for a card."""
        item = self.medication or self.procedure
        return item.title if item else Message("order")


class Gap(Record, frozen=True, gc=False):
    """Something that could not be read or used. `text` is fit for a card: it holds no patient value."""

    source: str
    """Which part of the record: `conditions`, `labs`, ..."""
    kind: str
    text: Text


class Facts(Record, frozen=True):
    """Everything the rules may look at. Build it with `normalise`; derive case features with `feature`."""

    as_of: datetime
    zone: tzinfo
    hook: str
    patient: Patient | None
    problems: tuple[Problem, ...] | None
    labs: Labs
    """Read it through `results`."""
    medications: tuple[Medication, ...] | None
    procedures: tuple[Procedure, ...] | None
    encounters: tuple[Encounter, ...] | None
    requests: tuple[Procedure, ...] | None
    """Active and draft ServiceRequests other than the orders being signed."""
    orders: tuple[Order, ...]
    gaps: tuple[Gap, ...]
    incomplete: frozenset[str]
    """Sources that were read in part only: absence cannot be concluded from them."""
    failures: Mapping[str, Text]
    """Source -> why it could not be read, for sources that are None."""
    settings: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Site settings that a clinical feature may read (`calcium_correction`, thresholds within bounds)."""
    units: str = "conventional"
    unmapped_labs: int = 0
    """Results with a number whose code stands for none of our analytes."""
    order: Order | None = None
    """The order being judged, for order services."""
    memo: dict[Any, Any] = msgspec.field(default_factory=dict)

    def about(self, order: Order | None) -> Facts:
        """The same facts with `order` in focus; case features already worked out are kept."""
        return self if order is self.order else replace(self, order=order)

    def feature(self, derive: Callable[[Facts], T]) -> T:
        """A case feature of the patient (never of the order in focus), worked out once per call."""
        try:
            return self.memo[derive]  # type: ignore[no-any-return]
        except KeyError:
            value = self.memo[derive] = derive(self)
            return value

    def may_lack(self, source: Literal["medications", "procedures", "encounters"]) -> bool:
        """The list could not be read, or only in part: absence cannot be concluded from it."""
        return getattr(self, source) is None or source in self.incomplete

    def why_unread(self, source: str) -> Text:
        """Why a source that is None could not be read."""
        return self.failures.get(source) or Message("not read")

    def results(self, analyte: Analyte, within_days: int | None = None) -> tuple[Lab, ...] | None:
        """Results of one analyte, newest first; None when its source could not be read.

        With `within_days` none that is older: of a long history the rest is never read. Those without a date stay.
        """
        return None if analyte.source in self.failures else self.labs.of(analyte.id, within_days)

    def age_days(self, when: When) -> int:
        return when.age_days(self.as_of, self.zone)
