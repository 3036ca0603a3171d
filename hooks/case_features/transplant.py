"""Kidney transplant on record: at all, how long ago, functioning or failed."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import (
    Answer,
    Facts,
    Finding,
    HasProblem,
    Message,
    Taking,
    Text,
    When,
    in_groups,
    met,
    not_met,
    unknown,
    within,
)
from hooks import valuesets as vs

_STATUS = HasProblem((vs.KIDNEY_TRANSPLANT_RECORDED,), history=True)
_FAILED = HasProblem((vs.KIDNEY_TRANSPLANT_FAILURE,), history=True)
_OPERATION = (vs.KIDNEY_TRANSPLANT_PROCEDURE,)
_SIGN = Taking((vs.IMMUNOSUPPRESSANTS,))


@dataclass(frozen=True, slots=True)
class TransplantRecorded:
    """A kidney transplant, functioning or failed: on the problem list or as an operation.

    Without either, and with procedures that cannot be read, it stays open for whoever takes an immunosuppressant. For
    everybody else the problem list is enough: most servers do not offer procedures.
    """

    text: str = "kidney transplant on record, functioning or failed"

    def evaluate(self, facts: Facts) -> Finding:
        for item in facts.procedures or ():
            if in_groups(item.sets, _OPERATION):
                when = item.when or Message("no date")
                because: Text = Message("{procedure}, {when}", procedure=item.title, when=when)
                return met(self, _with_state(because, facts), item.source)
        status = _STATUS.evaluate(facts)
        because = _with_state(status.because, facts) if status.answer == "met" else status.because
        unseen = facts.may_lack("procedures") and _SIGN.evaluate(facts).answer is not Answer.NOT_MET
        if status.answer is Answer.NOT_MET and unseen:
            because = Message("{because}; procedures not readable", because=because)
            return unknown(self, because, optional=True)
        return Finding(self, status.answer, because, status.sources, status.optional)


def _with_state(because: Text, facts: Facts) -> Text:
    failed = _FAILED.evaluate(facts).answer == "met"
    return Message("{because}; coded as failed", because=because) if failed else because


@dataclass(frozen=True, slots=True)
class RecentTransplant:
    """Transplanted at most `days` ago: by the date of the operation, else by that of the problem.

    Whoever has been transplanted long ago may have been again: that too is told by procedures alone.
    """

    days: int

    @property
    def text(self) -> str:
        return f"kidney transplant in the last {self.days} days"

    def evaluate(self, facts: Facts) -> Finding:
        recorded = TransplantRecorded().evaluate(facts)
        if recorded.answer != "met":
            return Finding(self, recorded.answer, recorded.because, recorded.sources, recorded.optional)
        dates = _operations(facts) or _entries(facts)
        if any(within(facts, when, self.days) for when in dates):
            return met(self, recorded.because, *recorded.sources)
        if not dates:
            return unknown(self, Message("kidney transplant without a date"), *recorded.sources)
        if facts.may_lack("procedures"):
            because = Message("{because}; procedures not readable", because=recorded.because)
            return unknown(self, because, *recorded.sources, optional=True)
        return not_met(self, recorded.because, *recorded.sources)


def _operations(facts: Facts) -> list[When]:
    return [item.when for item in facts.procedures or () if item.when and in_groups(item.sets, _OPERATION)]


def _entries(facts: Facts) -> list[When]:
    """Dates of transplant status; a complication or failure says nothing about when it was transplanted."""
    return [
        problem.since
        for problem in facts.problems or ()
        if problem.since and in_groups(problem.sets, (vs.KIDNEY_TRANSPLANT,))
    ]
