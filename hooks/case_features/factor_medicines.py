"""Medicines among the factors of the patient summary: each told with start, state and daily dose."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds_service.api import (
    Answer,
    Facts,
    Finding,
    HasProblem,
    Medication,
    MedicationState,
    Taking,
    When,
    above,
    in_groups,
    show,
)
from hooks import valuesets as vs
from hooks.case_features.anticoagulation import ON_VKA, RECENT_DAYS
from hooks.case_features.chart import NOT_BY_MOUTH
from hooks.case_features.exposure import calcium_load
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


def tell_medicines(items: Iterable[Medication]) -> str:
    """`warfarin since 3 Jan 2025`: one entry for each drug, from its orders that run furthest."""
    by_name: dict[str, list[Medication]] = {}
    for item in items:
        by_name.setdefault(item.name, []).append(item)
    told = []
    for name, same in by_name.items():
        state = min((item.state for item in same), key=_RUNNING.index)
        told.append(_tell_medicine(name, state, [item for item in same if item.state is state]))
    return "; ".join(told)


def _tell_medicine(name: str, state: MedicationState, same: list[Medication]) -> str:
    if all(item.basis == "name" for item in same):
        name = f"{name} (matched by name)"
    if state is MedicationState.ENDED:
        ends = [item.ended for item in same if item.ended is not None]
        return f"{name}, recent (ended {max(ends, key=_instant)})"
    starts = [item.started for item in same if item.started is not None]
    since = f"since {min(starts, key=_instant)}" if starts else "start not recorded"
    return f"{name}{', on hold' if state is MedicationState.ON_HOLD else ''} {since}"


def _instant(when: When) -> float:
    return when.instant.timestamp()


def _medicines(facts: Facts, taking: Taking, *notes: str) -> Finding:
    """The answer of `taking`, told with start and state of each drug."""
    finding = taking.evaluate(facts)
    if finding.answer is not Answer.MET:
        return finding
    because = "; ".join([tell_medicines(taking.found(facts)), *(note for note in notes if note)])
    return Finding(finding.text, finding.answer, because, finding.sources)


def vka(facts: Facts) -> Finding:
    """Active, on hold, or ended in the last 90 days (`recent`)."""
    return _medicines(facts, ON_VKA)


def active_vitamin_d(facts: Facts) -> Finding:
    """With the daily dose of each drug; calcitriol above 0.5 mcg a day (T11) is noted."""
    by_drug: dict[str, list[Medication]] = {}
    for item in ON_ACTIVE_VITAMIN_D.found(facts):
        by_drug.setdefault(item.name, []).append(item)
    return _medicines(
        facts, ON_ACTIVE_VITAMIN_D, *(_vitamin_d_dose(n, items) for n, items in by_drug.items())
    )


def _vitamin_d_dose(name: str, items: list[Medication]) -> str:
    running = [item for item in items if item.state is MedicationState.ACTIVE]
    doses = [item.daily_dose.amount * _MICROGRAMS for item in running if item.daily_dose is not None]
    if not running:
        return ""
    if len(doses) < len(running):
        return f"{name} dose not computable"
    total = sum(doses, Decimal(0))
    is_calcitriol = in_groups(running[0].sets, (vs.CALCITRIOL,))
    over = f", above {T11.value}" if is_calcitriol and above(total, T11.value) else ""
    return f"{name} {show(total, 2)} mcg/day{over}"


def calcium_intake(facts: Facts) -> Finding:
    """With elemental calcium a day from active orders; more than 1,500 mg (T10) is noted."""
    load = calcium_load(facts)
    notes = []
    if load.lines:
        most = limit(facts, T10)
        over = f", above {most:,} ({T10.source})" if above(load.total, most) else ""
        notes.append(f"{show(load.total, 0)} mg elemental calcium/day{over}")
    if load.not_computable:
        notes.append(f"dose not computable: {', '.join(dict.fromkeys(load.not_computable))}")
    return _medicines(facts, ON_CALCIUM, *notes)


def systemic_steroid_course(facts: Facts) -> Finding:
    """A systemic steroid for 21 days or more, in one course or in several, running or ended in the last 90 days."""
    text = f"systemic corticosteroid for {STEROID_COURSE_DAYS} days or more"
    taking = ON_STEROID.evaluate(facts)
    if taking.answer is not Answer.MET:
        return Finding(text, taking.answer, taking.because, taking.sources)
    items = ON_STEROID.found(facts)
    days = [_course_days(facts, item) for item in items]
    total = sum(day for day in days if day is not None)
    names = ", ".join(dict.fromkeys(item.name for item in items))
    courses = f"{names}, {total} days" + (f" in {len(items)} orders" if len(items) > 1 else "")
    if total >= STEROID_COURSE_DAYS:
        return Finding(text, Answer.MET, courses, taking.sources)
    open_ended = any(
        day is None or (item.course_days is None and item.state is not MedicationState.ENDED)
        for item, day in zip(items, days, strict=True)
    )
    if open_ended:
        return Finding(text, Answer.UNKNOWN, f"{names}: length of the course not known", taking.sources)
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
        because = f"{taking.because}, diabetes not documented"
        return Finding(taking.text, Answer.UNKNOWN, because, taking.sources)
    return taking
