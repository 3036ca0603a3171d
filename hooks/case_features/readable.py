"""Was the essential part of the record readable at all? Used for the gap cards that all rules share."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import AgeAtLeast, Answer, Facts, Finding, Message, met, not_met


@dataclass(frozen=True, slots=True)
class ProblemListUnreadable:
    """The problem list could not be read."""

    text: str = "the problem list is not readable"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.problems is None:
            return met(self, facts.why_unread("conditions"))
        return not_met(self, Message("the problem list was read"))


@dataclass(frozen=True, slots=True)
class AgeNotRecorded:
    """The age is not recorded, or too vaguely to tell an adult."""

    text: str = "age not recorded"

    def evaluate(self, facts: Facts) -> Finding:
        finding = AgeAtLeast(18).evaluate(facts)
        if finding.answer is Answer.UNKNOWN:
            return met(self, finding.because, *finding.sources)
        return not_met(self, finding.because, *finding.sources)
