"""The 20 factors of the patient summary, each present, absent, unknown or not evaluable. No score.

Absent only when the source was read and is complete; a missing problem is "not documented". Factors are
associations from case-control studies, not predictions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cds_service.api import (
    Answer,
    Criterion,
    Facts,
    Finding,
    HasProblem,
    LabAtLeast,
    LabBelow,
    MedicationState,
    Taking,
    latest,
)
from hooks import valuesets as vs
from hooks.analytes import ALBUMIN, ALP, PHOSPHATE
from hooks.case_features.anticoagulation import ON_VKA, RECENT_DAYS
from hooks.case_features.body import Obese, RapidWeightLoss
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.dialysis import dialysis
from hooks.case_features.product import HIGH_PRODUCT
from hooks.case_features.pth import PthHigh, PthLow
from hooks.thresholds import T5, T8

STEROID_COURSE_DAYS = 21
VINTAGE_DAYS = 5 * 365.25


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
    counted: bool = True


HIGH_PHOSPHATE = LabAtLeast(PHOSPHATE, T5.value, T5.source, strictly=True)
LOW_ALBUMIN = LabBelow(ALBUMIN, T8.value, T8.source)
ON_ACTIVE_VITAMIN_D = Taking((vs.ACTIVE_VITAMIN_D,))
ON_CALCIUM = Taking((vs.ORAL_CALCIUM,), not_routes=("topical", "iv", "im", "sc"))
DIABETES = HasProblem((vs.DIABETES,))
ON_SC_INSULIN = Taking((vs.SC_INSULIN,), only_routes=("sc",))
THROMBOPHILIA = HasProblem((vs.THROMBOPHILIA,), history=True)
LIVER_DISEASE = HasProblem((vs.ANY_LIVER_DISEASE,))


def _pth(facts: Facts) -> Finding:
    high, low = PthHigh().evaluate(facts), PthLow().evaluate(facts)
    if high.answer is Answer.MET:
        return Finding(high.text, Answer.MET, f"high: {high.because}", high.sources)
    if low.answer is Answer.MET:
        return Finding(low.text, Answer.MET, f"low: {low.because}", low.sources)
    return high if high.answer is Answer.UNKNOWN else low


def _female(facts: Facts) -> Finding:
    gender = facts.patient.gender if facts.patient else None
    answer = {"female": Answer.MET, "male": Answer.NOT_MET}.get(gender or "", Answer.UNKNOWN)
    sources = (facts.patient.source,) if facts.patient else ()
    return Finding("female sex", answer, f"recorded as {gender}" if gender else "not recorded", sources)


def systemic_steroid_course(facts: Facts) -> Finding:
    """A systemic steroid for 21 days or more, active or ended in the last 90 days."""
    text = f"systemic corticosteroid for {STEROID_COURSE_DAYS} days or more"
    taking = Taking((vs.SYSTEMIC_CORTICOSTEROIDS,), ended_within_days=RECENT_DAYS)
    finding = taking.evaluate(facts)
    if finding.answer is not Answer.MET:
        return Finding(text, finding.answer, finding.because, finding.sources)
    undecided = False
    for item in taking.found(facts):
        ran = item.course_days
        if ran is None and item.started is not None:
            running = item.state is not MedicationState.ENDED
            until = facts.as_of if running or item.ended is None else item.ended.instant
            ran = (until - item.started.instant).days
            undecided = undecided or (running and ran < STEROID_COURSE_DAYS)
        if ran is None:
            undecided = True
        elif ran >= STEROID_COURSE_DAYS:
            return Finding(text, Answer.MET, f"{item.name}, {ran} days", (item.source,))
    answer = Answer.UNKNOWN if undecided else Answer.NOT_MET
    return Finding(
        text, answer, "length of the course not known" if undecided else "short course", finding.sources
    )


def _sc_insulin(facts: Facts) -> Finding:
    diabetes = DIABETES.evaluate(facts)
    if diabetes.answer is Answer.NOT_MET:
        return Finding(ON_SC_INSULIN.text, Answer.NOT_MET, "diabetes not documented", diabetes.sources)
    return ON_SC_INSULIN.evaluate(facts)


def _vintage_or_pd(facts: Facts) -> Finding:
    text = "dialysis for more than 5 years, or peritoneal dialysis"
    status = facts.feature(dialysis)
    if status.modality == "PD":
        return Finding(text, Answer.MET, "peritoneal dialysis", status.sources)
    if status.since is None:
        return Finding(text, Answer.UNKNOWN, "start of dialysis not recorded", status.sources)
    answer = Answer.MET if facts.age_days(status.since) > VINTAGE_DAYS else Answer.NOT_MET
    return Finding(text, answer, f"dialysis on record since {status.since}", status.sources)


def _high_alp(facts: Facts) -> Finding:
    text = "alkaline phosphatase above the laboratory's upper limit"
    found = latest(facts, ALP)
    if found.lab is None:
        return Finding(text, Answer.UNKNOWN, f"{ALP.title}: {found.why_none}")
    if found.lab.reference_high is None:
        return Finding(text, Answer.UNKNOWN, "no reference range with the result", (found.lab.source,))
    return LabAtLeast(ALP, found.lab.reference_high, "the laboratory's upper limit", strictly=True).evaluate(
        facts
    )


def _transplant(facts: Facts) -> Finding:
    text = "kidney transplant, functioning or failed"
    if facts.problems is None:
        return Finding(text, Answer.UNKNOWN, "problem list not readable")
    recorded = HasProblem((vs.KIDNEY_TRANSPLANT_RECORDED,), history=True).evaluate(facts)
    if recorded.answer is Answer.MET or not facts.feature(dialysis).transplant_recorded:
        return recorded
    return Finding(text, Answer.MET, "transplantation recorded as a procedure")


Ask = Criterion | Callable[[Facts], Finding]
_FACTORS: tuple[tuple[str, str, bool, Ask], ...] = (
    ("vka-active", "vitamin K antagonist", True, ON_VKA),
    ("active-vitamin-d", "active vitamin D", True, ON_ACTIVE_VITAMIN_D),
    ("calcium-load", "calcium-containing binder or supplement", True, ON_CALCIUM),
    ("ca-x-p", "high Ca x P", True, HIGH_PRODUCT),
    ("corrected-calcium", "high calcium", True, HighCalcium()),
    ("phosphate", "high phosphate", True, HIGH_PHOSPHATE),
    ("pth", "PTH out of range", True, _pth),
    ("low-albumin", "low albumin", False, LOW_ALBUMIN),
    ("diabetes", "diabetes", False, DIABETES),
    ("obesity", "obesity", False, Obese()),
    ("female-sex", "female sex", False, _female),
    ("systemic-corticosteroid", "systemic corticosteroid", True, systemic_steroid_course),
    ("thrombophilia", "thrombophilia", False, THROMBOPHILIA),
    ("sc-insulin", "subcutaneous insulin", False, _sc_insulin),
    ("dialysis-vintage-or-pd", "dialysis over 5 years or PD", False, _vintage_or_pd),
    ("high-alp", "high alkaline phosphatase", False, _high_alp),
    ("liver-disease", "liver disease", False, LIVER_DISEASE),
    ("calciphylaxis-status", "calciphylaxis on record", False, CURRENT_OR_PAST),
    ("kidney-transplant", "kidney transplant", False, _transplant),
    ("rapid-weight-loss", "rapid weight loss", False, RapidWeightLoss()),
)
_NOT_COUNTED = "calciphylaxis-status"
_STATES = {Answer.MET: State.PRESENT, Answer.NOT_MET: State.ABSENT, Answer.UNKNOWN: State.UNKNOWN}


def factors(facts: Facts) -> tuple[Factor, ...]:
    """All 20 factors in their fixed order. A draft order in focus never counts as current use."""
    patient = facts.about(None)
    return tuple(_factor(patient, *row) for row in _FACTORS)


def _factor(facts: Facts, ident: str, label: str, modifiable: bool, ask: Ask) -> Factor:
    finding = ask.evaluate(facts) if isinstance(ask, Criterion) else ask(facts)
    return Factor(
        ident,
        label,
        _STATES[finding.answer],
        finding.because,
        finding.sources,
        modifiable,
        ident != _NOT_COUNTED,
    )


def present(facts: Facts) -> list[Factor]:
    return [item for item in facts.feature(factors) if item.counted and item.state is State.PRESENT]


def unknown_factors(facts: Facts) -> list[Factor]:
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
