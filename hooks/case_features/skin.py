"""Skin findings that fit calciphylaxis: which kinds count, where, and how recent (rule 9).

Pressure injuries, diabetic foot ulcers and gangrene or ulcers of toes, fingers or feet do not count. A code
without a site counts, and the card says that the site is not recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.api import (
    CodeGroup,
    Facts,
    Finding,
    Message,
    Problem,
    Record,
    Text,
    When,
    describe,
    in_groups,
    met,
    not_met,
    unknown,
    within,
)
from hooks import valuesets as vs

RECENT_DAYS = 90
RECURRENT = 2
"""Episodes of cellulitis in the window that make it recurrent."""
NO_SITE = Message("site not recorded")

_KINDS: tuple[tuple[tuple[CodeGroup, ...], Text, bool], ...] = (
    ((vs.SKIN_NECROSIS,), Message("skin necrosis"), True),
    ((vs.ULCER_THIGH_BUTTOCK_CALF_ABDOMEN,), Message("non-pressure ulcer of thigh, buttock or calf"), True),
    ((vs.ANY_LIVEDO,), Message("livedo reticularis"), True),
    ((vs.PANNICULITIS,), Message("panniculitis or skin induration"), True),
    ((vs.GANGRENE_SITE_NOT_CODED,), Message("gangrene, {site}", site=NO_SITE), False),
    ((vs.ULCER_SITE_NOT_CODED,), Message("skin ulcer, {site}", site=NO_SITE), False),
)
"""(value sets, wording, the code implies a site or needs none), the most telling first."""
_CELLULITIS = (vs.CELLULITIS,)
_OTHER_GANGRENE = (vs.PERIPHERAL_ARTERY_GANGRENE, vs.DIABETIC_GANGRENE)
# The set holds L98.41 (buttock) and L98.43 (abdomen): only the code or the words tell them apart.
_ABDOMEN = re.compile(r"abdom|l98\.43", re.IGNORECASE)
_ACRAL = re.compile(r"\b(?:toes?|fingers?|foot|feet|heels?|hands?)\b", re.IGNORECASE)


class Lesion(Record, frozen=True, gc=False):
    """One skin finding that counts, in the words of the card."""

    kind: Text
    evidence: Text
    has_site: bool
    source: str


class Lesions(Record, frozen=True, gc=False):
    """The finding that leads the card, if any, and findings whose date is not known."""

    lead: Lesion | None
    undated: tuple[str, ...]


def lesions(facts: Facts) -> Lesions:
    """Active findings with onset or recording at most 90 days ago, the most telling kind first."""
    undated: list[str] = []
    active = [problem for problem in facts.problems or () if problem.active and problem.sets]
    for groups, wording, has_site in _KINDS:
        for problem in active:
            if not in_groups(problem.sets, groups) or _look_alike(facts, problem):
                continue
            if not _dates(problem):
                undated.append(problem.source)
            elif _recent(facts, problem):
                kind = _kind(wording, problem)
                return Lesions(Lesion(kind, describe(problem), has_site, problem.source), tuple(undated))
    return Lesions(_recurrent_cellulitis(facts), tuple(undated))


def _kind(wording: Text, problem: Problem) -> Text:
    if in_groups(problem.sets, (vs.ULCER_THIGH_BUTTOCK_CALF_ABDOMEN,)) and _ABDOMEN.search(problem.label):
        return Message("non-pressure ulcer of the abdomen")
    return wording


def _look_alike(facts: Facts, problem: Problem) -> bool:
    """Acral by its words, coded as a look-alike, or gangrene that a coded arterial or diabetic one explains."""
    if in_groups(problem.sets, (vs.SKIN_LOOK_ALIKES,)):
        return True
    if any(_ACRAL.search(text) for text in problem.texts):
        return True
    return in_groups(problem.sets, (vs.GANGRENE_SITE_NOT_CODED,)) and any(
        other.active and in_groups(other.sets, _OTHER_GANGRENE) for other in facts.problems or ()
    )


def _dates(problem: Problem) -> list[When]:
    return [when for when in (problem.onset, problem.recorded) if when is not None]


def _recent(facts: Facts, problem: Problem) -> bool:
    return any(within(facts, when, RECENT_DAYS) for when in _dates(problem))


def _recurrent_cellulitis(facts: Facts) -> Lesion | None:
    """Two or more episodes that began on different days of the window, at least one of them still active."""
    episodes = [
        problem
        for problem in facts.problems or ()
        if in_groups(problem.sets, _CELLULITIS)
        and problem.since
        and within(facts, problem.since, RECENT_DAYS)
    ]
    days = {problem.since.day for problem in episodes if problem.since}
    active = next((problem for problem in episodes if problem.active), None)
    if active is None or len(days) < RECURRENT:
        return None
    evidence = Message(
        "{count} episodes in {days} days, {problem}",
        count=len(days),
        days=RECENT_DAYS,
        problem=describe(active),
    )
    return Lesion(Message("recurrent cellulitis"), evidence, has_site=True, source=active.source)


@dataclass(frozen=True, slots=True)
class SuspectLesion:
    """A skin finding of the last 90 days that fits calciphylaxis."""

    text: str = (
        f"active livedo, skin necrosis or gangrene (not of toes or feet), non-pressure ulcer at a fatty site or "
        f"without a site, panniculitis or induration, or recurrent cellulitis, of the last {RECENT_DAYS} days"
    )

    def evaluate(self, facts: Facts) -> Finding:
        if facts.problems is None:
            return unknown(
                self,
                Message("problem list not readable ({reason})", reason=facts.why_unread("conditions")),
            )
        found = facts.feature(lesions)
        if found.lead is not None:
            return met(self, found.lead.evidence, found.lead.source)
        if found.undated:
            return unknown(self, Message("skin finding without a date"), *found.undated)
        if "conditions" in facts.incomplete:
            return unknown(self, Message("problem list received only in part"))
        return not_met(self, Message("no such skin finding on the problem list"))
