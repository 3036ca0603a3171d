"""Checks that belong to a sodium thiosulfate infusion: bicarbonate, anion gap, sodium, calcium (T14, T4; rule 16)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import (
    Answer,
    Criterion,
    Facts,
    Finding,
    Joined,
    LabAtLeast,
    LabBelow,
    Message,
    Text,
    Verbatim,
    latest,
)
from hooks import valuesets as vs
from hooks.analytes import ANION_GAP, BICARBONATE, SODIUM
from hooks.case_features.low_calcium import RecentLowCalcium
from hooks.thresholds import T4, T14_ANION_GAP, T14_BICARBONATE, T14_SODIUM

_CHECKS: tuple[Criterion, ...] = (
    LabBelow(BICARBONATE, T14_BICARBONATE.value, T14_BICARBONATE.source),
    LabAtLeast(ANION_GAP, T14_ANION_GAP.value, T14_ANION_GAP.source, strictly=True),
    LabAtLeast(SODIUM, T14_SODIUM.value, T14_SODIUM.source, strictly=True),
    RecentLowCalcium(),
)


def out_of_range(facts: Facts) -> tuple[Finding, ...]:
    """The checks that are met: values of the last 7 days beyond their limit."""
    return tuple(f for f in (check.evaluate(facts) for check in _CHECKS) if f.answer is Answer.MET)


def not_available(facts: Facts) -> Joined:
    """The checks that could not be made, with the reason; empty when all could."""
    found = [check.evaluate(facts) for check in _CHECKS]
    return Joined("; ", (finding.because for finding in found if finding.answer is Answer.UNKNOWN))


@dataclass(frozen=True, slots=True)
class ThiosulfateCaution:
    """One of the checks is met. One that cannot be made leaves the answer open and is named."""

    text: str = (
        f"in the last 7 days: bicarbonate below {T14_BICARBONATE.value} mmol/L, anion gap above "
        f"{T14_ANION_GAP.value} mmol/L, sodium above {T14_SODIUM.value} mmol/L ({T14_SODIUM.source}), or corrected "
        f"calcium below {T4.value} mg/dL ({T4.source})"
    )

    def evaluate(self, facts: Facts) -> Finding:
        found = facts.feature(out_of_range)
        if found:
            because = Joined("; ", (finding.because for finding in found))
            return Finding(self, Answer.MET, because, tuple(s for f in found for s in f.sources))
        missing = facts.feature(not_available)
        if missing:
            return Finding(self, Answer.UNKNOWN, Message("not available: {missing}", missing=missing))
        return Finding(
            self, Answer.NOT_MET, Message("bicarbonate, anion gap, sodium and calcium are in range")
        )


@dataclass(frozen=True, slots=True)
class GapHoldsPotassium:
    """The anion gap was reported with potassium in it, which reads about 4 mmol/L higher."""

    text: str = "the anion gap is reported with potassium"

    def evaluate(self, facts: Facts) -> Finding:
        lab = latest(facts, ANION_GAP).lab
        holds = lab is not None and not lab.sets.isdisjoint(vs.ANION_GAP_WITH_POTASSIUM.ids)
        answer = Answer.MET if holds else Answer.NOT_MET
        because: Text = Verbatim(lab.source) if lab else Message("no anion gap")
        return Finding(self, answer, because)
