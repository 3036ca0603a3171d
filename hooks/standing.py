"""What a screening of many patients reports about dialysis: who, by which evidence, which factors, Ca x P."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from cds_service.api import (
    Answer,
    CitedLine,
    FactorState,
    Facts,
    Membership,
    Scatter,
    StandingView,
    in_groups,
)
from hooks import valuesets as vs
from hooks.analytes import ALBUMIN, ALP, CALCIUM, PHOSPHATE, PTH
from hooks.case_features.calciphylaxis import calciphylaxis
from hooks.case_features.dialysis import Dialysis, dialysis
from hooks.case_features.factors import State, factors
from hooks.case_features.product import current_pair
from hooks.case_features.skin import lesions
from hooks.thresholds import T1, T2

_FORMS = (
    ("dependence-code", "definite", "code for dependence on dialysis"),
    ("sessions", "definite", "dialysis sessions, with end-stage disease or for more than 90 days"),
    ("esrd-code", "probable", "code for end-stage renal disease (N18.6) without a transplant"),
    ("care-condition", "probable", "dialysis-care condition (Z49) in the last 90 days"),
    ("care-encounter", "probable", "dialysis-care encounter in the last 90 days"),
)
_PROBLEMS = (
    ("dependence-code", (vs.DIALYSIS_DEPENDENCE, vs.DIALYSIS_DEPENDENCE_SNOMED_LICENSED)),
    ("esrd-code", (vs.END_STAGE_RENAL_DISEASE,)),
    ("care-condition", (vs.DIALYSIS_CARE_ENCOUNTER,)),
)

_DECISIVE = (
    vs.DIALYSIS_DEPENDENCE,
    vs.DIALYSIS_DEPENDENCE_SNOMED_LICENSED,
    vs.END_STAGE_RENAL_DISEASE,
    vs.END_STAGE_RENAL_DISEASE_SNOMED,
    vs.END_STAGE_RENAL_DISEASE_SNOMED_LICENSED,
    vs.DIALYSIS_CARE_ENCOUNTER,
    vs.HEMODIALYSIS,
    vs.PERITONEAL_DIALYSIS,
    vs.DIALYSIS_MODALITY_NOT_STATED,
    vs.KIDNEY_TRANSPLANT_RECORDED,
    vs.KIDNEY_TRANSPLANT_STATUS,
    vs.KIDNEY_TRANSPLANT_STATUS_SNOMED_LICENSED,
    vs.KIDNEY_TRANSPLANT_PROCEDURE,
    vs.KIDNEY_TRANSPLANT_FAILURE,
)
"""Every rule on the chart asks for dialysis or a kidney transplant. Stage 5 alone is a hint, never evidence."""


_STATES = {state: str(state.value) for state in State}


def membership(facts: Facts) -> Membership:
    """Dialysis status as the rules see it, with the forms of evidence that carried the answer."""
    status = facts.feature(dialysis)
    found = set(_forms(facts, status)) if status.answer is Answer.MET else set()
    return Membership(
        answer=status.answer,
        certainty=status.certainty,
        cohort=status.cohort,
        evidence=tuple(ident for ident, _, _ in _FORMS if ident in found),
        kind=status.modality or "",
        because=str(status.because),
        sources=status.sources,
    )


def _forms(facts: Facts, status: Dialysis) -> Iterator[str]:
    problems = {problem.source: problem for problem in facts.problems or ()}
    for source in status.sources:
        problem = problems.get(source)
        if problem is None:
            yield "care-encounter" if source.startswith("Encounter/") else "sessions"
            continue
        yield next(ident for ident, groups in _PROBLEMS if in_groups(problem.sets, groups))


def factor_states(facts: Facts) -> tuple[FactorState, ...]:
    return tuple(FactorState(item.id, item.label, _STATES[item.state]) for item in facts.feature(factors))


def calcium_and_phosphate(facts: Facts) -> tuple[Decimal, Decimal, date] | None:
    """Calcium (corrected as the site has it) and phosphate of the pair in force, in mg/dL; the upper ends."""
    pair = facts.feature(current_pair)
    if pair is None or pair.phosphate.high is None:
        return None
    return pair.calcium.corrected[1], pair.phosphate.high, pair.when.day


STANDING = StandingView(
    population="on maintenance dialysis",
    membership=membership,
    evidence_titles=_FORMS,
    factors=factor_states,
    analytes=(CALCIUM, PHOSPHATE, ALBUMIN, PTH, ALP),
    scatter=Scatter(
        "calcium, corrected for albumin (mg/dL)",
        "phosphate (mg/dL)",
        calcium_and_phosphate,
        (
            CitedLine(T1.value, f"{T1.value} mg2/dL2: KDOQI 2003 goal is below"),
            CitedLine(T2.value, f"{T2.value} mg2/dL2: Weenig 2007"),
        ),
    ),
    lasting=(membership, dialysis, calciphylaxis, lesions),
    decisive=frozenset(ident for group in _DECISIVE for ident in group.ids),
    note=(
        "Factors are associations from case-control studies; most patients with several factors never develop "
        "calciphylaxis, and it can occur with none. Ca x P below 55 does not exclude it."
    ),
)
