"""The 20 factors of the patient summary, each present, absent, unknown or not evaluable. No score.

Absent only when the source was read and is complete; a missing problem is "not documented". Factors are
associations from case-control studies, not predictions. Order and ids are fixed: clinical document, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cds_service.api import Answer, Criterion, Facts, Finding, HasProblem, LabAtLeast
from hooks import valuesets as vs
from hooks.analytes import PHOSPHATE
from hooks.case_features import factor_findings as ask
from hooks.case_features import factor_medicines as medicines
from hooks.case_features.body import Obese, RapidWeightLoss
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.product import HIGH_PRODUCT
from hooks.case_features.pth import PthLow
from hooks.case_features.transplant import TransplantRecorded
from hooks.thresholds import T5

STEROID_COURSE_DAYS = medicines.STEROID_COURSE_DAYS


class State(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor with its state; `counted` ones enter the counts of present and unknown factors."""

    id: str
    label: str
    state: State
    because: str
    sources: tuple[str, ...]
    modifiable: bool
    counted: bool
    documented: bool
    """It rests on the problem list, where a missing entry means "not documented", never "absent"."""

    @property
    def shown(self) -> str:
        """The state in the words of the card."""
        return "not documented" if self.documented and self.state is State.ABSENT else str(self.state)


Answered = Finding | tuple[Finding, bool]
"""A finding, and for a factor that may be "not evaluable" whether it is."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    label: str
    ask: Criterion | Callable[[Facts], Answered]
    modifiable: bool = False
    documented: bool = False
    counted: bool = True


HIGH_PHOSPHATE = LabAtLeast(PHOSPHATE, T5.value, T5.source, strictly=True)
_LIVER_DISEASE = HasProblem((vs.ANY_LIVER_DISEASE,))
_ROWS = (
    _Row("vka-active", "vitamin K antagonist", medicines.vka, modifiable=True),
    _Row("active-vitamin-d", "active vitamin D", medicines.active_vitamin_d, modifiable=True),
    _Row("calcium-load", "oral calcium", medicines.calcium_intake, modifiable=True),
    _Row("ca-x-p", "high Ca x P", HIGH_PRODUCT, modifiable=True),
    _Row("corrected-calcium", "high calcium", HighCalcium(), modifiable=True),
    _Row("phosphate", "high phosphate", HIGH_PHOSPHATE, modifiable=True),
    _Row("pth", "PTH out of range", ask.pth, modifiable=True),
    _Row("low-albumin", "low albumin", ask.albumin),
    _Row("diabetes", "diabetes", medicines.DIABETES, documented=True),
    _Row("obesity", "obesity", Obese()),
    _Row("female-sex", "female sex", ask.female),
    _Row(
        "systemic-corticosteroid",
        "systemic corticosteroid",
        medicines.systemic_steroid_course,
        modifiable=True,
    ),
    _Row("thrombophilia", "thrombophilia", ask.thrombophilia, documented=True),
    _Row("sc-insulin", "subcutaneous insulin", medicines.sc_insulin),
    _Row("dialysis-vintage-or-pd", "dialysis over 5 years or PD", ask.vintage_or_pd),
    _Row("high-alp", "high alkaline phosphatase", ask.high_alp),
    _Row("liver-disease", "liver disease", _LIVER_DISEASE, documented=True),
    _Row("calciphylaxis-status", "calciphylaxis on record", CURRENT_OR_PAST, documented=True, counted=False),
    _Row("kidney-transplant", "kidney transplant", TransplantRecorded(), documented=True),
    _Row("rapid-weight-loss", "rapid weight loss", RapidWeightLoss()),
)
_STATES = {Answer.MET: State.PRESENT, Answer.NOT_MET: State.ABSENT, Answer.UNKNOWN: State.UNKNOWN}


def factors(facts: Facts) -> tuple[Factor, ...]:
    """All 20 factors in their fixed order. A draft order in focus never counts as current use."""
    patient = facts.about(None)
    return tuple(_factor(patient, row) for row in _ROWS)


def _factor(facts: Facts, row: _Row) -> Factor:
    answered = row.ask.evaluate(facts) if isinstance(row.ask, Criterion) else row.ask(facts)
    finding, not_evaluable = answered if isinstance(answered, tuple) else (answered, False)
    label = row.label
    if row.id == "pth" and finding.answer is Answer.MET:
        label = "low PTH" if PthLow().evaluate(facts).answer is Answer.MET else "high PTH"
    return Factor(
        row.id,
        label,
        State.NOT_EVALUABLE if not_evaluable else _STATES[finding.answer],
        finding.because,
        finding.sources,
        row.modifiable,
        row.counted,
        row.documented,
    )


def present(facts: Facts) -> list[Factor]:
    return [item for item in facts.feature(factors) if item.counted and item.state is State.PRESENT]


def unknown_factors(facts: Facts) -> list[Factor]:
    """Counted factors that are unknown or not evaluable."""
    undecided = (State.UNKNOWN, State.NOT_EVALUABLE)
    return [item for item in facts.feature(factors) if item.counted and item.state in undecided]


MANY = 3


@dataclass(frozen=True, slots=True)
class ManyOtherFactors:
    """Three or more named factors present besides the vitamin K antagonist itself."""

    text: str = f"{MANY} or more other named risk factors present (our proposal)"

    def evaluate(self, facts: Facts) -> Finding:
        others = [item for item in facts.feature(present) if item.id != "vka-active"]
        open_ones = [item for item in facts.feature(unknown_factors) if item.id != "vka-active"]
        sources = tuple(source for item in others for source in item.sources)
        because = f"{len(others)} present: {', '.join(item.label for item in others) or 'none'}"
        if len(others) >= MANY:
            return Finding(self.text, Answer.MET, because, sources)
        if len(others) + len(open_ones) >= MANY:
            return Finding(self.text, Answer.UNKNOWN, f"{because}; {len(open_ones)} unknown", sources)
        return Finding(self.text, Answer.NOT_MET, because, sources)
