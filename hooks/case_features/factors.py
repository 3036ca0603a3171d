"""The 20 factors of the patient summary, each present, absent, unknown or not evaluable. No score.

Absent only when the source was read and is complete; a missing problem is "not documented". Factors are
associations from case-control studies, not predictions. Order and ids are fixed: clinical document, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from cds_service.api import Answer, Facts, Finding, HasProblem, Joined, LabAtLeast, Message, Record, Text
from hooks import valuesets as vs
from hooks.analytes import PHOSPHATE
from hooks.case_features import factor_findings as ask
from hooks.case_features import factor_medicines as medicines
from hooks.case_features.body import Obese, RapidWeightLoss
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.product import HIGH_PRODUCT
from hooks.case_features.pth import pth_low
from hooks.case_features.transplant import TransplantRecorded
from hooks.thresholds import T5

STEROID_COURSE_DAYS = medicines.STEROID_COURSE_DAYS


class State(Enum):
    PRESENT = Message("present")
    ABSENT = Message("absent")
    UNKNOWN = Message("unknown")
    NOT_EVALUABLE = Message("not evaluable")


class Factor(Record, frozen=True, gc=False):
    """One factor with its state."""

    row: _Row
    label: Text
    state: State
    finding: Finding

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def because(self) -> Text:
        return self.finding.because

    @property
    def sources(self) -> tuple[str, ...]:
        return self.finding.sources

    @property
    def modifiable(self) -> bool:
        return self.row.modifiable

    @property
    def shown(self) -> Text:
        """The state in the words of the card."""
        absent = self.row.documented and self.state is State.ABSENT
        return Message("not documented") if absent else self.state.value


Answered = Finding | tuple[Finding, bool]
"""A finding, and for a factor that may be "not evaluable" whether it is."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    label: Message
    ask: Callable[[Facts], Answered]
    modifiable: bool = False
    documented: bool = False
    """It rests on the problem list, where a missing entry means "not documented", never "absent"."""
    counted: bool = True
    """It enters the counts of present and unknown factors."""


HIGH_PHOSPHATE = LabAtLeast(PHOSPHATE, T5.value, T5.source, strictly=True)
_LIVER_DISEASE = HasProblem((vs.ANY_LIVER_DISEASE,))
_ROWS = (
    _Row("vka-active", Message("vitamin K antagonist"), medicines.vka, modifiable=True),
    _Row("active-vitamin-d", Message("active vitamin D"), medicines.active_vitamin_d, modifiable=True),
    _Row("calcium-load", Message("oral calcium"), medicines.calcium_intake, modifiable=True),
    _Row("ca-x-p", Message("high Ca x P"), HIGH_PRODUCT.evaluate, modifiable=True),
    _Row("corrected-calcium", Message("high calcium"), HighCalcium().evaluate, modifiable=True),
    _Row("phosphate", Message("high phosphate"), HIGH_PHOSPHATE.evaluate, modifiable=True),
    _Row("pth", Message("PTH out of range"), ask.pth, modifiable=True),
    _Row("low-albumin", Message("low albumin"), ask.albumin),
    _Row("diabetes", Message("diabetes"), medicines.DIABETES.evaluate, documented=True),
    _Row("obesity", Message("obesity"), Obese().evaluate),
    _Row("female-sex", Message("female sex"), ask.female),
    _Row(
        "systemic-corticosteroid",
        Message("systemic corticosteroid"),
        medicines.systemic_steroid_course,
        modifiable=True,
    ),
    _Row("thrombophilia", Message("thrombophilia"), ask.thrombophilia, documented=True),
    _Row("sc-insulin", Message("subcutaneous insulin"), medicines.sc_insulin),
    _Row("dialysis-vintage-or-pd", Message("dialysis over 5 years or PD"), ask.vintage_or_pd),
    _Row("high-alp", Message("high alkaline phosphatase"), ask.high_alp),
    _Row("liver-disease", Message("liver disease"), _LIVER_DISEASE.evaluate, documented=True),
    _Row(
        "calciphylaxis-status",
        Message("calciphylaxis on record"),
        CURRENT_OR_PAST.evaluate,
        documented=True,
        counted=False,
    ),
    _Row("kidney-transplant", Message("kidney transplant"), TransplantRecorded().evaluate, documented=True),
    _Row("rapid-weight-loss", Message("rapid weight loss"), RapidWeightLoss().evaluate),
)
_STATES = {Answer.MET: State.PRESENT, Answer.NOT_MET: State.ABSENT, Answer.UNKNOWN: State.UNKNOWN}


def factors(facts: Facts) -> tuple[Factor, ...]:
    """All 20 factors in their fixed order. A draft order in focus never counts as current use."""
    patient = facts.about(None)
    found = []
    for row in _ROWS:
        answered, not_evaluable = row.ask(patient), False
        if isinstance(answered, tuple):
            answered, not_evaluable = answered
        state = State.NOT_EVALUABLE if not_evaluable else _STATES[answered.answer]
        out_of_range = row.id == "pth" and state is State.PRESENT
        found.append(Factor(row, _pth_label(patient) if out_of_range else row.label, state, answered))
    return tuple(found)


def _pth_label(facts: Facts) -> Text:
    """PTH may be out of range in either direction: a card says in which."""
    low = facts.feature(pth_low).answer is Answer.MET
    return Message("low PTH") if low else Message("high PTH")


def present(facts: Facts) -> list[Factor]:
    wanted = State.PRESENT
    return [item for item in facts.feature(factors) if item.state is wanted and item.row.counted]


def unknown_factors(facts: Facts) -> list[Factor]:
    """Counted factors that are unknown or not evaluable."""
    undecided = (State.UNKNOWN, State.NOT_EVALUABLE)
    return [item for item in facts.feature(factors) if item.state in undecided and item.row.counted]


MANY = 3


@dataclass(frozen=True, slots=True)
class ManyOtherFactors:
    """Three or more named factors present besides the vitamin K antagonist itself."""

    text: str = f"{MANY} or more other named risk factors present (our proposal)"

    def evaluate(self, facts: Facts) -> Finding:
        others = [item for item in facts.feature(present) if item.id != "vka-active"]
        open_ones = [item for item in facts.feature(unknown_factors) if item.id != "vka-active"]
        sources = tuple(source for item in others for source in item.sources)
        names = Joined(", ", (item.label for item in others)) or Message("none")
        because = Message("{count} present: {factors}", count=len(others), factors=names)
        if len(others) >= MANY:
            return Finding(self, Answer.MET, because, sources)
        if len(others) + len(open_ones) >= MANY:
            return Finding(
                self,
                Answer.UNKNOWN,
                Message("{because}; {count} unknown", because=because, count=len(open_ones)),
                sources,
            )
        return Finding(self, Answer.NOT_MET, because, sources)
