"""Words about the order, the problem list and the medicines."""

from __future__ import annotations

from cds_service.api import Facts, HasProblem, Taking, describe, describe_medication, in_groups
from hooks import valuesets as vs
from hooks.case_features.anticoagulation import ON_VKA, mandatory_indications
from hooks.case_features.calciphylaxis import HISTORY, calciphylaxis
from hooks.case_features.dialysis import dialysis
from hooks.case_features.factors import present, unknown_factors


def drug(facts: Facts) -> str:
    """The drug (or procedure) that is ordered; without an order, what the sentence is about."""
    return facts.order.name if facts.order else "Calciphylaxis check"


def order(facts: Facts) -> str:
    return facts.order.name if facts.order else ""


def status(facts: Facts) -> str:
    """`confirmed`, `suspected` or `past`."""
    found = facts.feature(calciphylaxis).status
    return "past" if found == HISTORY else found


def indication(facts: Facts) -> str:
    found = facts.feature(mandatory_indications)
    return found[0].name if found else ""


def indications_found(facts: Facts) -> str:
    return "; ".join(item.because for item in facts.feature(mandatory_indications))


def dialysis_evidence(facts: Facts) -> str:
    """`definite: End stage renal disease (N18.6), recorded 2 Mar 2024; haemodialysis`."""
    found = facts.feature(dialysis)
    modality = {"HD": "haemodialysis", "PD": "peritoneal dialysis"}.get(
        found.modality or "", "modality not recorded"
    )
    return f"{found.certainty}: {found.because}; {modality}" if found.certainty else ""


def calciphylaxis_evidence(facts: Facts) -> str:
    return facts.feature(calciphylaxis).because


def other_indication(facts: Facts) -> str:
    """What is coded as a reason for anticoagulation, or that nothing is."""
    if facts.problems is None:
        return "problem list not readable"
    found = [
        describe(problem)
        for problem in facts.problems
        if problem.active and in_groups(problem.sets, (vs.OTHER_INDICATIONS_FOR_ANTICOAGULATION,))
    ]
    return "; ".join(found[:2]) if found else "no indication coded"


def matched_by_name(facts: Facts) -> str:
    """A note when the drug of the order was recognised by its name only."""
    medication = facts.order.medication if facts.order else None
    return "matched by name only, no code we know" if medication and medication.basis == "name" else ""


def factors_present(facts: Facts) -> str:
    found = facts.feature(present)
    if not found:
        return ""
    return f"{', '.join(item.label for item in found)} ({len(found)} present)"


def factors_unknown(facts: Facts) -> str:
    found = facts.feature(unknown_factors)
    return f"{', '.join(item.label for item in found)} ({len(found)} unknown)" if found else ""


def n(facts: Facts) -> str:
    return str(len(facts.feature(present)))


def u(facts: Facts) -> str:
    return str(len(facts.feature(unknown_factors)))


def vka_list(facts: Facts) -> str:
    return "; ".join(describe_medication(item) for item in ON_VKA.found(facts))


def digoxin(facts: Facts) -> str:
    found = Taking((vs.DIGOXIN,)).found(facts)
    return found[0].name if found else ""


def pregnancy(facts: Facts) -> str:
    found = HasProblem((vs.PREGNANCY,)).evaluate(facts)
    return "pregnancy recorded - specialist decision" if found.answer == "met" else ""


def vascular_calcification(facts: Facts) -> str:
    found = HasProblem((vs.VASCULAR_CALCIFICATION,)).evaluate(facts)
    return found.because if found.answer == "met" else ""
