"""Is peritoneal dialysis the current modality? And is palliative care recorded?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.api import (
    Answer,
    CodeGroup,
    Facts,
    Finding,
    HasProblem,
    Message,
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
_PD: tuple[CodeGroup, ...] = (vs.PERITONEAL_DIALYSIS, vs.PERITONEAL_DIALYSIS_CONDITION)
_HD: tuple[CodeGroup, ...] = (vs.HEMODIALYSIS, vs.HEMODIALYSIS_CONDITION)
_REMOVAL: tuple[CodeGroup, ...] = (vs.PERITONEAL_DIALYSIS_CATHETER_REMOVAL,)
_PALLIATIVE: tuple[CodeGroup, ...] = (vs.PALLIATIVE_CARE,)


class Evidence(Record, frozen=True, gc=False):
    """One thing on record that tells a modality, with its date if it has one."""

    what: Text
    when: When | None
    source: str


def _problems(facts: Facts, groups: tuple[CodeGroup, ...]) -> Iterator[Evidence]:
    for problem in facts.problems or ():
        if problem.active and in_groups(problem.sets, groups):
            yield Evidence(describe(problem), problem.since, problem.source)


def _events(facts: Facts, groups: tuple[CodeGroup, ...], days: int | None) -> Iterator[Evidence]:
    """Procedures and encounters that have taken place, at most `days` ago if given."""
    for done in facts.procedures or ():
        if in_groups(done.sets, groups) and done.when is not None:
            yield from _event(facts, done.title, done.when, done.source, days)
    for visit in facts.encounters or ():
        if in_groups(visit.sets, groups) and visit.started is not None:
            yield from _event(facts, Message("encounter"), visit.started, visit.source, days)


def _event(facts: Facts, what: Text, when: When, source: str, days: int | None) -> Iterator[Evidence]:
    if not when.is_future(facts.as_of) and (days is None or within(facts, when, days)):
        yield Evidence(Message("{what}, {when}", what=what, when=when), when, source)


def _latest(found: list[Evidence]) -> Evidence | None:
    """The last dated one, else one without a date."""
    dated = [item for item in found if item.when is not None]
    return max(dated, key=_moment) if dated else next(iter(found), None)


def _moment(item: Evidence) -> float:
    return item.when.instant.timestamp() if item.when else 0.0


def _unread(facts: Facts) -> Text | None:
    """A list that may hold a later sign of PD and could not be read, or only in part."""
    if facts.may_lack("procedures"):
        return Message("procedures")
    if facts.may_lack("encounters"):
        return Message("encounters")
    return None


@dataclass(frozen=True, slots=True)
class OnPeritonealDialysis:
    """PD by an active problem, or by a procedure or encounter of the last 90 days, and nothing later against it.

    Later haemodialysis, or later removal of the PD catheter, ends it, unless procedures or encounters, which may hold
    something later still, cannot be read. Evidence of both modalities whose order in time is not known leaves the
    question open, and so does no evidence at all.
    """

    text: str = f"peritoneal dialysis is the current modality (evidence of the last {RECENT_DAYS} days)"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.problems is None:
            return unknown(
                self,
                Message("problem list not readable ({reason})", reason=facts.why_unread("conditions")),
            )
        pd = _latest([*_problems(facts, _PD), *_events(facts, _PD, RECENT_DAYS)])
        hd = _latest([*_problems(facts, _HD), *_events(facts, _HD, None)])
        if pd is None:
            if hd is None:
                return unknown(self, Message("modality not recorded"))
            return self._not_now(facts, Message("haemodialysis: {what}", what=hd.what), hd)
        for other in (hd, _latest(list(_events(facts, _REMOVAL, None)))):
            if other is None:
                continue
            if pd.when is None or other.when is None:
                because = Message("{one}; {other}: order in time not known", one=pd.what, other=other.what)
                return unknown(self, because, pd.source, other.source)
            if other.when.instant > pd.when.instant:
                return self._not_now(facts, Message("later: {what}", what=other.what), other)
        return met(self, pd.what, pd.source)

    def _not_now(self, facts: Facts, because: Text, by: Evidence) -> Finding:
        """Another modality, provided that a still later one would be seen."""
        unread = _unread(facts)
        if unread is None:
            return not_met(self, because, by.source)
        because = Message("{because}; {source} not readable", because=because, source=unread)
        return unknown(self, because, by.source)


@dataclass(frozen=True, slots=True)
class PalliativeCare:
    """Palliative care as a problem or an encounter of the last 90 days (encounters are optional data)."""

    text: str = f"palliative care recorded in the last {RECENT_DAYS} days"

    def evaluate(self, facts: Facts) -> Finding:
        problem = HasProblem(_PALLIATIVE, within_days=RECENT_DAYS).evaluate(facts)
        if problem.answer is not Answer.NOT_MET:
            return Finding(self, problem.answer, problem.because, problem.sources, problem.optional)
        for undated in _problems(facts, _PALLIATIVE):
            if undated.when is None:
                return unknown(self, Message("palliative care without a date"), undated.source, optional=True)
        for event in _events(facts, _PALLIATIVE, RECENT_DAYS):
            return met(self, event.what, event.source)
        if facts.encounters is None:
            return unknown(self, Message("encounters not readable (palliative care)"), optional=True)
        return not_met(self, Message("no palliative care recorded"))
