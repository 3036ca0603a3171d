"""Words about the order, the problem list and the medicines."""

from __future__ import annotations

from cds_service.api import (
    Facts,
    HasProblem,
    Joined,
    Message,
    Taking,
    Text,
    Verbatim,
    describe,
    describe_medication,
    in_groups,
)
from hooks import valuesets as vs
from hooks.case_features.anticoagulation import ON_VKA, mandatory_indications
from hooks.case_features.calciphylaxis import HISTORY, STATUSES, calciphylaxis
from hooks.case_features.dialysis import CERTAINTIES, dialysis, modality_words
from hooks.case_features.factors import present, unknown_factors


def drug(facts: Facts) -> Text:
    """The drug (or procedure) that is ordered; without an order, what the sentence is about."""
    return facts.order.title if facts.order else Message("Calciphylaxis check")


def order(facts: Facts) -> Text | None:
    return facts.order.title if facts.order else None


def status(facts: Facts) -> Text | None:
    """`confirmed`, `suspected` or `past`."""
    found = facts.feature(calciphylaxis).status
    return Message("past") if found == HISTORY else STATUSES.get(found)


def indication(facts: Facts) -> Text | None:
    found = facts.feature(mandatory_indications)
    return found[0].name if found else None


def indications_found(facts: Facts) -> Text | None:
    return Joined("; ", (item.because for item in facts.feature(mandatory_indications))) or None


def dialysis_evidence(facts: Facts) -> Text | None:
    """`definite: End stage renal disease (N18.6), recorded 2 Mar 2024; haemodialysis`."""
    found = facts.feature(dialysis)
    if not found.certainty:
        return None
    return Message(
        "{certainty}: {because}; {modality}",
        certainty=CERTAINTIES[found.certainty],
        because=found.because,
        modality=modality_words(found),
    )


def calciphylaxis_evidence(facts: Facts) -> Text:
    return facts.feature(calciphylaxis).because


def other_indication(facts: Facts) -> Text:
    """What is coded as a reason for anticoagulation, or that nothing is."""
    if facts.problems is None:
        return Message("problem list not readable")
    found = [
        describe(problem)
        for problem in facts.problems
        if problem.active and in_groups(problem.sets, (vs.OTHER_INDICATIONS_FOR_ANTICOAGULATION,))
    ]
    return Joined("; ", found[:2]) or Message("no indication coded")


def matched_by_name(facts: Facts) -> Text | None:
    """A note when the drug of the order was recognised by its name only."""
    medication = facts.order.medication if facts.order else None
    by_its_name = medication is not None and medication.basis == "name"
    return Message("matched by name only, no code we know") if by_its_name else None


def factors_present(facts: Facts) -> Text | None:
    found = facts.feature(present)
    if not found:
        return None
    labels = Joined(", ", (item.label for item in found))
    return Message("{factors} ({count} present)", factors=labels, count=len(found))


def factors_unknown(facts: Facts) -> Text | None:
    found = facts.feature(unknown_factors)
    labels = Joined(", ", (item.label for item in found))
    return Message("{factors} ({count} unknown)", factors=labels, count=len(found)) if found else None


def n(facts: Facts) -> Text:
    return Verbatim(str(len(facts.feature(present))))


def u(facts: Facts) -> Text:
    return Verbatim(str(len(facts.feature(unknown_factors))))


def vka_list(facts: Facts) -> Text | None:
    return Joined("; ", (describe_medication(item) for item in ON_VKA.found(facts))) or None


def digoxin(facts: Facts) -> Text | None:
    found = Taking((vs.DIGOXIN,)).found(facts)
    return found[0].title if found else None


def pregnancy(facts: Facts) -> Text | None:
    found = HasProblem((vs.PREGNANCY,)).evaluate(facts)
    return Message("pregnancy recorded - specialist decision") if found.answer == "met" else None


def vascular_calcification(facts: Facts) -> Text | None:
    found = HasProblem((vs.VASCULAR_CALCIFICATION,)).evaluate(facts)
    return found.because if found.answer == "met" else None
