"""Is this patient on maintenance dialysis? Definitions: clinical document section 4.

`definite`: a dialysis-dependence code, or two dialysis sessions within 30 days with chronic evidence.
`probable`: ICD-10-CM N18.6 without a transplant, or a dialysis-care encounter in the last 90 days.
Rules treat the two alike. Dialysis for acute kidney injury and a functioning transplant are not
maintenance dialysis. Dialysis-only medicines, vascular access and laboratory codes do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from cds_service.api import (
    Answer,
    CodeGroup,
    Facts,
    Finding,
    Joined,
    Message,
    Problem,
    Procedure,
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
SESSION_WINDOW_DAYS = 30
CHRONIC_SPAN_DAYS = 90

_SESSIONS = (vs.HEMODIALYSIS, vs.PERITONEAL_DIALYSIS, vs.DIALYSIS_MODALITY_NOT_STATED)
_DEPENDENT = (vs.DIALYSIS_DEPENDENCE, vs.DIALYSIS_DEPENDENCE_SNOMED_LICENSED)
_ESRD = (vs.END_STAGE_RENAL_DISEASE,)
_ESRD_NO_PROOF = (
    vs.END_STAGE_RENAL_DISEASE,
    vs.END_STAGE_RENAL_DISEASE_SNOMED,
    vs.END_STAGE_RENAL_DISEASE_SNOMED_LICENSED,
)
_HINTS = (
    *_ESRD_NO_PROOF,
    vs.HYPERTENSIVE_CKD_STAGE_5_OR_ESRD,
    vs.CKD_STAGE_5,
    # To be said to miss dialysis proves none, but speaks against its absence while sessions are unread.
    vs.DIALYSIS_NONCOMPLIANCE,
    # So does care involving dialysis that is too long ago to prove anything,
    vs.DIALYSIS_CARE_ENCOUNTER,
    # and a code that tells how somebody is dialysed, such as an infected dialysis catheter.
    vs.HEMODIALYSIS_CONDITION,
    vs.PERITONEAL_DIALYSIS_CONDITION,
)
_TRANSPLANT = (vs.KIDNEY_TRANSPLANT_STATUS, vs.KIDNEY_TRANSPLANT_STATUS_SNOMED_LICENSED)
_DIALYSIS_WORDS = (
    "dialysis",
    "hemodialysis",
    "haemodialysis",
    "esrd",
    "eskd",
    "end stage renal",
    "end-stage renal",
)
CERTAINTIES = {"definite": Message("definite"), "probable": Message("probable")}
MODALITIES = {"HD": Message("haemodialysis"), "PD": Message("peritoneal dialysis")}


class Dialysis(Record, frozen=True, gc=False):
    """What the record says about dialysis. `answer` is UNKNOWN when it cannot be told."""

    answer: Answer
    certainty: str
    """`definite`, `probable`, or '' when not on dialysis or unknown."""
    cohort: str
    """`dialysis`, `kidney-transplant`, `aki-d`, `none` or `unknown`."""
    modality: str | None
    """`HD`, `PD` or None when not recorded."""
    because: Text
    sources: tuple[str, ...]
    since: When | None
    """Earliest dated evidence of dialysis."""
    failed_graft: bool
    transplant_recorded: bool


def modality_words(status: Dialysis) -> Text:
    """The modality as cards print it."""
    return MODALITIES.get(status.modality or "") or Message("modality not recorded")


def dialysis(facts: Facts) -> Dialysis:
    """Dialysis status by every form of evidence, worked out once per call through `facts.feature`."""
    if facts.problems is None:
        reason = facts.why_unread("conditions")
        return _no(Answer.UNKNOWN, "unknown", Message("problem list not readable ({reason})", reason=reason))
    active = [problem for problem in facts.problems if problem.active and problem.sets]
    graft = _Graft.of(facts, active)
    sessions = _sessions(facts)
    dependent = _pick(active, _DEPENDENT)
    esrd = _pick(active, _ESRD)
    recent_sessions = _recent(facts, sessions)
    chronic = bool(_pick(active, _ESRD_NO_PROOF)) or _span_days(sessions) > CHRONIC_SPAN_DAYS
    frequent = bool(recent_sessions) and _two_days_within(
        sessions, _days(recent_sessions), SESSION_WINDOW_DAYS
    )

    definite: list[Problem | Procedure] = [*dependent]
    if frequent and chronic:
        definite += recent_sessions[:1]
    last = _last(dependent, recent_sessions if frequent and chronic else [])
    if definite and not (
        graft.functioning and graft.when is not None and last is not None and graft.after(last)
    ):
        return _yes(active, "definite", definite, graft, sessions)
    if graft.functioning and graft.when is None and recent_sessions:
        return _yes(active, "definite", recent_sessions[:1], graft, sessions)
    if esrd and not (graft.functioning and not _later(esrd, graft.when)):
        return _yes(active, "probable", esrd, graft, sessions)
    if graft.functioning and esrd and (graft.undatable or any(item.date_unreadable for item in esrd)):
        because = Message(
            "{problem}; {transplant}: a date is not readable, so their order is not known",
            problem=describe(esrd[0]),
            transplant=graft.label,
        )
        return _no(Answer.UNKNOWN, "unknown", because, graft, (esrd[0].source, *graft.sources))
    if graft.functioning:
        return _transplanted(facts, graft)
    if _pick(active, (vs.ACUTE_KIDNEY_INJURY,)) and sessions and _span_days(sessions) <= CHRONIC_SPAN_DAYS:
        return _superseded(
            facts, "aki-d", Message("dialysis for acute kidney injury, not maintenance dialysis"), graft
        )
    care = [
        p
        for p in _pick(active, (vs.DIALYSIS_CARE_ENCOUNTER,))
        if p.since and within(facts, p.since, RECENT_DAYS)
    ]
    if care:
        return _yes(active, "probable", care, graft, sessions)
    for encounter in facts.encounters or ():
        started = encounter.started if in_groups(encounter.sets, (vs.DIALYSIS_CARE_ENCOUNTER,)) else None
        if started is not None and within(facts, started, RECENT_DAYS):
            return Dialysis(
                Answer.MET,
                "probable",
                "dialysis",
                _modality(active, sessions),
                Message("dialysis-care encounter on {when}", when=started),
                (encounter.source,),
                started,
                graft.recorded,
                graft.recorded,
            )
    return _absent(facts, graft)


def _transplanted(facts: Facts, graft: _Graft) -> Dialysis:
    """Not on dialysis since the transplant, provided that later sessions would be seen if there were signs of any."""
    because = Message("functioning kidney transplant: {transplant}", transplant=graft.label)
    unseen = facts.may_lack("procedures")
    hint = [item for item in facts.problems or () if unseen and item.active and _speaks_of_it(item)]
    if hint:
        doubt = Message(
            "{because}, but procedures are not readable and the problem list has {problem}: "
            "dialysis since then not confirmed or excluded",
            because=because,
            problem=describe(hint[0]),
        )
        return _no(Answer.UNKNOWN, "unknown", doubt, graft, (hint[0].source, *graft.sources))
    return _superseded(facts, "kidney-transplant", because, graft)


def _superseded(facts: Facts, cohort: str, because: Text, graft: _Graft) -> Dialysis:
    """Not maintenance dialysis for a stated reason: sound only when nothing on the problem list is missing."""
    if "conditions" in facts.incomplete:
        return _no(
            Answer.UNKNOWN,
            "unknown",
            Message("{because}, but the problem list was received only in part", because=because),
            graft,
        )
    doubt = _evidence_doubt(facts)
    if doubt:
        return _no(
            Answer.UNKNOWN, "unknown", Message("{because}, but {doubt}", because=because, doubt=doubt), graft
        )
    return _no(Answer.NOT_MET, cohort, because, graft)


def _evidence_doubt(facts: Facts) -> Text | None:
    """Why evidence of dialysis on record proves nothing either way: it is undated, or the list has gaps."""
    sessions = [item for item in facts.procedures or () if in_groups(item.sets, _SESSIONS)]
    visits = [item for item in facts.encounters or () if in_groups(item.sets, (vs.DIALYSIS_CARE_ENCOUNTER,))]
    care = [p for p in _pick(facts.problems or (), (vs.DIALYSIS_CARE_ENCOUNTER,)) if p.active]
    dates = (*(i.when for i in sessions), *(i.started for i in visits), *(p.since for p in care))
    if any(when is None for when in dates):
        return Message("dialysis is recorded without a usable date")
    if sessions and "procedures" in facts.incomplete:
        return Message("dialysis sessions are on record and procedures were received only in part")
    return None


def _absent(facts: Facts, graft: _Graft) -> Dialysis:
    """No evidence found: `no` only when what was read is enough to say so."""
    if "conditions" in facts.incomplete:
        return _no(Answer.UNKNOWN, "unknown", Message("problem list received only in part"))
    unread: list[Text] = []
    if facts.may_lack("procedures"):
        unread.append(Message("procedures"))
    if facts.may_lack("encounters"):
        unread.append(Message("encounters"))
    # What is over proves nothing either, but it may have begun again.
    hint = [problem for problem in facts.problems or () if _speaks_of_it(problem)] if unread else []
    if hint:
        return _unconfirmed(next((item for item in hint if item.active), hint[0]), unread, graft)
    doubt = _evidence_doubt(facts)
    if doubt is not None:
        return _no(Answer.UNKNOWN, "unknown", doubt, graft)
    # Too few sessions to prove it, and a visit that would have is among what was not read.
    few = _recent(facts, _sessions(facts))
    if few and unread:
        return _unconfirmed(few[0], unread, graft)
    for problem in facts.problems or ():
        if problem.active and not problem.coded and _in_words(problem):
            because = Message(
                "the problem list mentions dialysis or end-stage renal disease in words only, without a code"
            )
            return _no(Answer.UNKNOWN, "unknown", because, graft, (problem.source,))
    return _no(Answer.NOT_MET, "none", Message("no evidence of maintenance dialysis on record"), graft)


def _unconfirmed(hint: Problem | Procedure, unread: list[Text], graft: _Graft) -> Dialysis:
    """Something speaks of dialysis, and what would confirm or exclude it could not be read."""
    because = Message(
        "{problem}, but {sources} are not readable: dialysis not confirmed or excluded",
        problem=_label(hint),
        sources=Message("{one} and {other}", one=unread[0], other=unread[1]) if unread[1:] else unread[0],
    )
    return _no(Answer.UNKNOWN, "unknown", because, graft, (hint.source,))


class _Graft(Record, frozen=True, gc=False):
    """Kidney transplant: recorded at all, failed, and when."""

    recorded: bool
    failed: bool
    when: When | None
    label: Text
    sources: tuple[str, ...]
    undatable: bool
    """A date of it was sent that cannot be read."""

    @classmethod
    def of(cls, facts: Facts, active: list[Problem]) -> _Graft:
        status = _pick(active, _TRANSPLANT)
        done = [
            item for item in facts.procedures or () if in_groups(item.sets, (vs.KIDNEY_TRANSPLANT_PROCEDURE,))
        ]
        failed = bool(_pick(active, (vs.KIDNEY_TRANSPLANT_FAILURE,)))
        if not status and not done:
            return cls(failed, failed, None, Joined("; ", ()), (), undatable=False)
        dates = [when for when in (*(p.since for p in status), *(p.when for p in done)) if when is not None]
        labels = [describe(problem) for problem in status] or [item.title for item in done]
        return cls(
            recorded=True,
            failed=failed,
            when=max(dates, key=lambda when: when.instant) if dates else None,
            label=Joined("; ", labels),
            sources=(*(item.source for item in status), *(item.source for item in done)),
            undatable=any(p.date_unreadable for p in status) or any(item.date_unreadable for item in done),
        )

    @property
    def functioning(self) -> bool:
        """Recorded and not coded as failed."""
        return self.recorded and not self.failed

    def after(self, last: When) -> bool:
        return self.when is not None and self.when.instant > last.instant


def _pick(problems: Iterable[Problem], groups: tuple[CodeGroup, ...]) -> list[Problem]:
    return [problem for problem in problems if in_groups(problem.sets, groups)]


def _speaks_of_it(problem: Problem) -> bool:
    """By code or in words the problem hints at dialysis."""
    return in_groups(problem.sets, (*_DEPENDENT, *_HINTS)) or _in_words(problem)


def _in_words(problem: Problem) -> bool:
    return any(word in text.lower() for text in problem.texts for word in _DIALYSIS_WORDS)


def _sessions(facts: Facts) -> list[Procedure]:
    """Dialysis sessions, newest first; continuous therapies of intensive care are not among the sets."""
    found = [
        item
        for item in facts.procedures or ()
        if in_groups(item.sets, _SESSIONS) and item.when is not None and not item.when.is_future(facts.as_of)
    ]
    return sorted(found, key=_instant, reverse=True)


def _recent(facts: Facts, sessions: list[Procedure]) -> list[Procedure]:
    return [item for item in sessions if item.when and within(facts, item.when, RECENT_DAYS)]


def _label(evidence: Problem | Procedure) -> Text:
    if isinstance(evidence, Problem):
        told = describe(evidence)
        return told if evidence.active else Message("{problem} (past)", problem=told)
    return Message("{procedure}, {when}", procedure=evidence.title, when=evidence.when)


def _instant(item: Procedure) -> float:
    return item.when.instant.timestamp() if item.when else 0.0


def _days(sessions: list[Procedure]) -> list[date]:
    """Different days with a session, latest first."""
    return sorted({item.when.day for item in sessions if item.when}, reverse=True)


def _two_days_within(sessions: list[Procedure], recent: list[date], days: int) -> bool:
    """Two different days with a session, at most `days` apart, the later of them recent."""
    on = _days(sessions)
    return any(later in recent and (later - earlier).days <= days for later, earlier in pairwise(on))


def _span_days(sessions: list[Procedure]) -> int:
    on = _days(sessions)
    return (on[0] - on[-1]).days if on else 0


def _last(problems: list[Problem], sessions: list[Procedure]) -> When | None:
    """Date of the latest evidence; None when some evidence has no date, so that nothing can be later."""
    dates = [problem.since for problem in problems] + [item.when for item in sessions[:1]]
    known = [when for when in dates if when is not None]
    return max(known, key=lambda when: when.instant) if known and len(known) == len(dates) else None


def _later(problems: list[Problem], than: When | None) -> bool:
    """One of the problems is dated after `than`."""
    if than is None:
        return False
    return any(problem.since is not None and problem.since.instant > than.instant for problem in problems)


def _modality(active: list[Problem], sessions: list[Procedure]) -> str | None:
    """Latest coded modality; conditions without a date give way to dated evidence."""
    seen: list[tuple[float, str]] = []
    for kind, groups in (
        ("HD", (vs.HEMODIALYSIS, vs.HEMODIALYSIS_CONDITION)),
        ("PD", (vs.PERITONEAL_DIALYSIS, vs.PERITONEAL_DIALYSIS_CONDITION)),
    ):
        latest = next((item for item in sessions if in_groups(item.sets, groups)), None)
        if latest is not None:
            seen.append((_instant(latest), kind))
        seen += [
            (problem.since.instant.timestamp() if problem.since else 0.0, kind)
            for problem in active
            if in_groups(problem.sets, groups)
        ]
    return max(seen)[1] if seen else None


def _dates(items: Iterable[Problem | Procedure]) -> Iterator[When]:
    for item in items:
        when = item.since if isinstance(item, Problem) else item.when
        if when is not None:
            yield when


def _yes(
    active: list[Problem],
    certainty: str,
    evidence: Iterable[Problem | Procedure],
    graft: _Graft,
    sessions: list[Procedure],
) -> Dialysis:
    evidence = list(evidence)
    labels = [_label(each) for each in evidence]
    onset = list(_dates([*evidence, *_pick(active, _ESRD), *sessions]))
    return Dialysis(
        Answer.MET,
        certainty,
        "dialysis",
        _modality(active, sessions),
        Joined("; ", labels),
        tuple(dict.fromkeys(item.source for item in evidence)),
        min(onset, key=lambda when: when.instant) if onset else None,
        graft.recorded,
        graft.recorded,
    )


def _no(
    answer: Answer, cohort: str, because: Text, graft: _Graft | None = None, sources: tuple[str, ...] = ()
) -> Dialysis:
    recorded = graft.recorded if graft else False
    own = graft.sources if graft and cohort == "kidney-transplant" else sources
    return Dialysis(answer, "", cohort, None, because, own, None, graft.failed if graft else False, recorded)


@dataclass(frozen=True, slots=True)
class OnDialysis:
    """On maintenance dialysis, definite or probable."""

    text: str = "on maintenance dialysis (not for acute kidney injury, no functioning transplant)"

    def evaluate(self, facts: Facts) -> Finding:
        status = facts.feature(dialysis)
        if status.answer is Answer.MET:
            return met(
                self,
                Message(
                    "dialysis {certainty}: {because}",
                    certainty=CERTAINTIES[status.certainty],
                    because=status.because,
                ),
                *status.sources,
            )
        if status.answer is Answer.UNKNOWN:
            return unknown(self, status.because, *status.sources)
        return not_met(self, status.because, *status.sources)
