"""Medicines among the factors of the patient summary: each told with start, state and daily dose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial

from cds_service.api import (
    Answer,
    Deferred,
    Facts,
    Finding,
    HasProblem,
    Joined,
    Medication,
    MedicationState,
    Message,
    Number,
    Taking,
    Text,
    When,
    above,
    by_name,
    in_groups,
)
from hooks import valuesets as vs
from hooks.case_features.anticoagulation import ON_VKA, RECENT_DAYS
from hooks.case_features.chart import NOT_BY_MOUTH
from hooks.case_features.exposure import add_up, counted, elemental_total
from hooks.thresholds import T10, T11, limit

STEROID_COURSE_DAYS = 21
ON_ACTIVE_VITAMIN_D = Taking((vs.ACTIVE_VITAMIN_D,))
ON_CALCIUM = Taking((vs.ORAL_CALCIUM,), not_routes=NOT_BY_MOUTH)
ON_STEROID = Taking(
    (vs.SYSTEMIC_CORTICOSTEROIDS,), ended_within_days=RECENT_DAYS, only_routes=("oral", "iv", "im")
)
ON_SC_INSULIN = Taking((vs.SC_INSULIN,), only_routes=("sc",))
DIABETES = HasProblem((vs.DIABETES,))
_MICROGRAMS = Decimal(1000)
_RUNNING = (MedicationState.ACTIVE, MedicationState.ON_HOLD, MedicationState.ENDED)


def tell_medicines(items: Iterable[Medication]) -> Text:
    """`warfarin since 3 Jan 2025`: one entry for each drug, from its orders that run furthest."""
    by_drug: dict[str, list[Medication]] = {}
    for item in items:
        by_drug.setdefault(item.name, []).append(item)
    told = []
    for same in by_drug.values():
        state = min((item.state for item in same), key=_RUNNING.index)
        told.append(_tell_medicine(state, [item for item in same if item.state is state]))
    return Joined("; ", told)


def _tell_medicine(state: MedicationState, same: list[Medication]) -> Text:
    name = same[0].title
    if all(item.basis == "name" for item in same):
        name = by_name(name)
    if state is MedicationState.ENDED:
        ends = [item.ended for item in same if item.ended is not None]
        return Message("{drug}, recent (ended {when})", drug=name, when=max(ends, key=_instant))
    if state is MedicationState.ON_HOLD:
        name = Message("{drug}, on hold", drug=name)
    starts = [item.started for item in same if item.started is not None]
    if not starts:
        return Message("{drug} start not recorded", drug=name)
    return Message("{drug} since {when}", drug=name, when=min(starts, key=_instant))


def _instant(when: When) -> float:
    return when.instant.timestamp()


def _medicines(
    facts: Facts, taking: Taking, tell: Callable[[list[Medication]], Text] = tell_medicines
) -> Finding:
    """The answer of `taking`, told with start and state of each drug."""
    finding = taking.evaluate(facts)
    if finding.answer is not Answer.MET:
        return finding
    because = Deferred(tell, taking.found(facts))
    return Finding(finding.asked, finding.answer, because, finding.sources)


def vka(facts: Facts) -> Finding:
    """Active, on hold, or ended in the last 90 days (`recent`)."""
    return _medicines(facts, ON_VKA)


def active_vitamin_d(facts: Facts) -> Finding:
    """With the daily dose of each drug; calcitriol above 0.5 mcg a day (T11) is noted."""
    return _medicines(facts, ON_ACTIVE_VITAMIN_D, _tell_vitamin_d)


def _tell_vitamin_d(found: list[Medication]) -> Text:
    by_drug: dict[str, list[Medication]] = {}
    for item in found:
        by_drug.setdefault(item.name, []).append(item)
    return Joined("; ", (tell_medicines(found), *(_vitamin_d_dose(items) for items in by_drug.values())))


def _vitamin_d_dose(items: list[Medication]) -> Text | None:
    running = [item for item in items if item.state is MedicationState.ACTIVE]
    doses = [item.daily_dose.amount * _MICROGRAMS for item in running if item.daily_dose is not None]
    drug = items[0].title
    if not running:
        return None
    if len(doses) < len(running):
        return Message("{drug} dose not computable", drug=drug)
    total = sum(doses, Decimal(0))
    amount = Number(total, 2)
    if in_groups(running[0].sets, (vs.CALCITRIOL,)) and above(total, T11.value):
        return Message("{drug} {amount} mcg/day, above {limit}", drug=drug, amount=amount, limit=T11.value)
    return Message("{drug} {amount} mcg/day", drug=drug, amount=amount)


def calcium_intake(facts: Facts) -> Finding:
    """With elemental calcium a day from active orders; more than 1,500 mg (T10) is noted."""
    return _medicines(facts, ON_CALCIUM, partial(_tell_calcium, counted(facts), limit(facts, T10)))


def _tell_calcium(added_up: list[Medication], most: Decimal, found: list[Medication]) -> Text:
    load = add_up(added_up)
    notes: list[Text] = []
    if load.lines:
        total = elemental_total(load)
        if above(load.total, most):
            total = Message(
                "{total}, above {limit} ({source})", total=total, limit=Number(most), source=T10.source
            )
        notes.append(total)
    if load.not_computable:
        notes.append(Message("dose not computable: {drugs}", drugs=Joined(", ", load.not_computable)))
    return Joined("; ", (tell_medicines(found), *notes))


def systemic_steroid_course(facts: Facts) -> Finding:
    """A systemic steroid for 21 days or more, in one course or in several, running or ended in the last 90 days."""
    text = f"systemic corticosteroid for {STEROID_COURSE_DAYS} days or more"
    taking = ON_STEROID.evaluate(facts)
    if taking.answer is not Answer.MET:
        return Finding(text, taking.answer, taking.because, taking.sources)
    items = ON_STEROID.found(facts)
    days = [_course_days(facts, item) for item in items]
    total = sum(day for day in days if day is not None)
    names = Joined(", ", (item.title for item in items))
    courses = Message("{drugs}, {days} days", drugs=names, days=total)
    if len(items) > 1:
        courses = Message("{courses} in {count} orders", courses=courses, count=len(items))
    if total >= STEROID_COURSE_DAYS:
        return Finding(text, Answer.MET, courses, taking.sources)
    open_ended = any(
        day is None or (item.course_days is None and item.state is not MedicationState.ENDED)
        for item, day in zip(items, days, strict=True)
    )
    if open_ended:
        return Finding(
            text,
            Answer.UNKNOWN,
            Message("{drugs}: length of the course not known", drugs=names),
            taking.sources,
        )
    return Finding(text, Answer.NOT_MET, courses, taking.sources)


def _course_days(facts: Facts, item: Medication) -> int | None:
    """Planned length, else how long it has run (or ran) by its dates; None when it has no start."""
    if item.course_days is not None or item.started is None:
        return item.course_days
    if item.state is MedicationState.ENDED and item.ended is not None:
        return max((item.ended.day - item.started.day).days, 0)
    return max(facts.age_days(item.started), 0)


def sc_insulin(facts: Facts) -> Finding:
    """Subcutaneous insulin counts in diabetes only; without documented diabetes it stays open."""
    taking, diabetes = _medicines(facts, ON_SC_INSULIN), DIABETES.evaluate(facts)
    if taking.answer is Answer.MET and diabetes.answer is not Answer.MET:
        because = Message("{because}, diabetes not documented", because=taking.because)
        return Finding(taking.asked, Answer.UNKNOWN, because, taking.sources)
    return taking
