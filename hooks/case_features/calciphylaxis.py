"""Calciphylaxis on record: confirmed, suspected, history, or not documented (never "absent").

Confirmed: a calciphylaxis-specific code whose verification is confirmed or not stated, or the disease
named in words with verification explicitly confirmed. Suspected: unconfirmed, provisional or
differential, or named in words without that confirmation. An unspecific code (E83.59) alone is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import (
    Facts,
    Finding,
    Message,
    Problem,
    Record,
    Text,
    describe,
    in_groups,
    met,
    not_met,
    unknown,
)
from hooks import valuesets as vs

CONFIRMED, SUSPECTED, HISTORY, NONE, UNKNOWN = "confirmed", "suspected", "history", "none", "unknown"
STATUSES = {
    CONFIRMED: Message("confirmed"),
    SUSPECTED: Message("suspected"),
    HISTORY: Message("history"),
}
_VERIFICATIONS = {
    "confirmed": Message("confirmed"),
    "unconfirmed": Message("unconfirmed"),
    "provisional": Message("provisional"),
    "differential": Message("differential"),
    "unknown": Message("unknown"),
}
_ORDER = (CONFIRMED, SUSPECTED, HISTORY)
_SPECIFIC = (vs.CALCIPHYLAXIS_SNOMED_LICENSED,)
_NAMED = (vs.CALCIPHYLAXIS_NAMED,)
_NAMES = ("calciphylaxis", "arteriolopathy", "calcifying panniculitis")


class Calciphylaxis(Record, frozen=True, gc=False):
    """Status with its evidence. `complete` is False when part of the problem list is missing."""

    status: str
    problem: Problem | None
    because: Text
    complete: bool


def calciphylaxis(facts: Facts) -> Calciphylaxis:
    """The strongest status on the problem list, worked out once per call through `facts.feature`."""
    if facts.problems is None:
        reason = facts.why_unread("conditions")
        return Calciphylaxis(
            UNKNOWN, None, Message("problem list not readable ({reason})", reason=reason), complete=False
        )
    complete = "conditions" not in facts.incomplete
    found = [
        (status, problem)
        for problem in facts.problems
        if problem.sets and (status := _status(problem)) is not None
    ]
    if not found:
        because = (
            Message("calciphylaxis not documented")
            if complete
            else Message("problem list received only in part")
        )
        return Calciphylaxis(NONE if complete else UNKNOWN, None, because, complete)
    status, problem = min(found, key=lambda item: _ORDER.index(item[0]))
    because = Message("{status}: {problem}", status=STATUSES[status], problem=_words(problem))
    if problem.verification:
        verification = _VERIFICATIONS[problem.verification]
        because = Message(
            "{because}, verification {verification}", because=because, verification=verification
        )
    return Calciphylaxis(status, problem, because, complete)


def _words(problem: Problem) -> Text:
    """The problem, with the words that name the disease where the label of the code does not."""
    if any(name in problem.label.lower() for name in _NAMES):
        return describe(problem)
    named = next((text for text in problem.texts if any(name in text.lower() for name in _NAMES)), None)
    if named is None:
        return describe(problem)
    return Message('"{words}", {problem}', words=named, problem=describe(problem))


def _status(problem: Problem) -> str | None:
    specific = in_groups(problem.sets, _SPECIFIC)
    if not specific and not in_groups(problem.sets, _NAMED):
        return None
    if not problem.active or any("history of" in text.lower() for text in problem.texts):
        return HISTORY
    if problem.verification == "confirmed" or (specific and problem.verification is None):
        return CONFIRMED
    return SUSPECTED


@dataclass(frozen=True, slots=True)
class HasCalciphylaxis:
    """Calciphylaxis on record with one of `statuses`."""

    statuses: tuple[str, ...] = (CONFIRMED, SUSPECTED)

    @property
    def text(self) -> str:
        return f"calciphylaxis on record as {' or '.join(self.statuses)}"

    def evaluate(self, facts: Facts) -> Finding:
        found = facts.feature(calciphylaxis)
        sources = (found.problem.source,) if found.problem else ()
        if found.status in self.statuses:
            return met(self, found.because, *sources)
        if found.status == UNKNOWN:
            # A list read in part that names no calciphylaxis: unknown, but not a reason to hold up a rule.
            return unknown(self, found.because, optional=facts.problems is not None)
        return not_met(self, found.because, *sources)


DOCUMENTED = HasCalciphylaxis()
CURRENT_OR_PAST = HasCalciphylaxis((CONFIRMED, SUSPECTED, HISTORY))
