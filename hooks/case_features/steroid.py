"""Length of a steroid course, and states in which a steroid is replacement or keeps a graft (rule 19)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Answer, AnyOf, Facts, Finding, HasProblem, Message, met, not_met, unknown
from hooks import valuesets as vs
from hooks.case_features.dialysis import dialysis
from hooks.case_features.factors import STEROID_COURSE_DAYS
from hooks.case_features.ordered import OrderedFor, ordered_medicine

ADRENAL_INSUFFICIENCY = AnyOf(
    (HasProblem((vs.ADRENAL_INSUFFICIENCY,)), OrderedFor((vs.ADRENAL_INSUFFICIENCY,)))
)


@dataclass(frozen=True, slots=True)
class LongCourse:
    """The ordered course is 21 days or longer; a length that is not given is UNKNOWN."""

    text: str = f"course of {STEROID_COURSE_DAYS} days or more"

    def evaluate(self, facts: Facts) -> Finding:
        item = ordered_medicine(facts)
        if item is None:
            return not_met(self, Message("not an order for a medicine"))
        if item.single_dose:
            return not_met(self, Message("single dose"), item.source)
        if item.course_days is None:
            return unknown(self, Message("length of the steroid course not given"), item.source)
        answer = met if item.course_days >= STEROID_COURSE_DAYS else not_met
        return answer(self, Message("course of {days} days", days=item.course_days), item.source)


@dataclass(frozen=True, slots=True)
class FunctioningTransplant:
    """A kidney transplant is on record and not failed: the steroid may be what keeps it."""

    text: str = "functioning kidney transplant"

    def evaluate(self, facts: Facts) -> Finding:
        status = facts.feature(dialysis)
        if facts.problems is None or (status.answer is Answer.UNKNOWN and not status.transplant_recorded):
            return unknown(self, status.because, optional=facts.problems is not None)
        if status.transplant_recorded and not status.failed_graft:
            return met(self, Message("kidney transplant on record, not coded as failed"), *status.sources)
        return not_met(self, Message("no functioning transplant on record"))
