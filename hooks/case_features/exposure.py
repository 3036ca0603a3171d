"""Oral calcium and vitamin D: elemental calcium a day (T10), dose reductions, states that forbid a hold."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import (
    Answer,
    DailyDose,
    Facts,
    Finding,
    HadProcedure,
    Medication,
    MedicationState,
    Taking,
    above,
    below,
    in_groups,
    met,
    not_met,
    show,
    unknown,
)
from hooks import valuesets as vs
from hooks.case_features.calcium import HighCalcium, LowCalcium, calcium_doubt, current_draw, show_interval
from hooks.thresholds import T10, limit

PARATHYROIDECTOMY_DAYS = 90
LOWER_CALCIUM = Decimal("9.0")
"""mg/dL; below it, calcium given beside denosumab or a calcimimetic is not questioned (9.0 is)."""

# Elemental calcium in one mg of the salt. Acetate: 667 mg holds 169 mg (label); carbonate 40 % (from memory).
_ELEMENTAL = (
    ((vs.CALCIUM_ACETATE,), Decimal(169) / Decimal(667)),
    ((vs.CALCIUM_CARBONATE,), Decimal("0.40")),
)
_ORAL = Taking((vs.ORAL_CALCIUM,), not_routes=("topical", "iv", "im", "sc"))


@dataclass(frozen=True, slots=True)
class CalciumLoad:
    """Elemental calcium a day, line by line. `complete` is False when some dose is not known."""

    total: Decimal
    lines: tuple[str, ...]
    not_computable: tuple[str, ...]
    given_but_unreadable: bool
    list_unreadable: bool
    sources: tuple[str, ...]


def calcium_load(facts: Facts) -> CalciumLoad:
    """All drafts and all active oral calcium; a draft replaces the active order of the same drug."""
    signed = [item for order in facts.orders if (item := order.medication) and not item.stopped]
    drafts = [item for item in signed if facts.order and _ORAL.counts(item)]
    items = [*drafts]
    for item in _ORAL.found(facts):
        replaced = any(not item.sets.isdisjoint(draft.sets) for draft in drafts)
        if item.state is MedicationState.ACTIVE and not replaced:
            items.append(item)
    total, lines, missing, unreadable = Decimal(0), [], [], False
    for item in items:
        elemental = _elemental(item)
        if elemental is None:
            missing.append(item.name)
            unreadable = unreadable or item.dose_given
        else:
            total += elemental.amount
            lines.append(
                f"{item.name} {elemental.text} = {show(elemental.amount, 0)} mg elemental calcium/day"
            )
    sources = tuple(item.source for item in items)
    unread = facts.medications is None or "medications" in facts.incomplete
    return CalciumLoad(total, tuple(lines), tuple(missing), unreadable, unread, sources)


def _elemental(item: Medication) -> DailyDose | None:
    dose = item.daily_dose
    if dose is None:
        return None
    for groups, share in _ELEMENTAL:
        if in_groups(item.sets, groups):
            return DailyDose(dose.amount * share, "mg", dose.text)
    return None


@dataclass(frozen=True, slots=True)
class ManyBinders:
    """T10: elemental calcium of the draft and all active binders above 1,500 mg a day.

    A dose given only in free text is "not computable" and leaves this question open without deciding it;
    a structured dose that cannot be read makes it unknown.
    """

    text: str = f"elemental calcium from binders above {T10.value:,} mg a day ({T10.source})"

    def evaluate(self, facts: Facts) -> Finding:
        load = calcium_load(facts)
        lines = "; ".join((*load.lines, *(f"{name}: dose not computable" for name in load.not_computable)))
        if above(load.total, limit(facts, T10)):
            return Finding(self.text, Answer.MET, lines, load.sources)
        if load.list_unreadable:
            because = "; ".join(filter(None, (lines, "current medicines not readable")))
            return Finding(self.text, Answer.UNKNOWN, because, load.sources)
        if load.given_but_unreadable:
            return Finding(self.text, Answer.UNKNOWN, lines, load.sources)
        return Finding(self.text, Answer.NOT_MET, lines or "no oral calcium", load.sources)


@dataclass(frozen=True, slots=True)
class ReducesDose:
    """The draft lowers the daily dose of the same drug against the active order."""

    text: str = "the order lowers the daily dose against the active order"

    def evaluate(self, facts: Facts) -> Finding:
        draft = facts.order.medication if facts.order else None
        if draft is None or draft.daily_dose is None:
            return not_met(self.text, "daily dose of the order not computable")
        for item in facts.medications or ():
            same = not item.sets.isdisjoint(draft.sets) and item.source != draft.source
            before = item.daily_dose if same and item.state is MedicationState.ACTIVE else None
            if before is not None and below(draft.daily_dose.amount, before.amount):
                return met(self.text, f"{before.text} before, now {draft.daily_dose.text}", item.source)
        return not_met(self.text, "no active order with a higher dose")


@dataclass(frozen=True, slots=True)
class AfterParathyroidectomy:
    """Parathyroidectomy at most 90 days ago while calcium is known and not high: replacement is needed.

    Above the limit it is over-replacement and the rule fires; with calcium unknown nothing is suppressed,
    but no delete is offered.
    """

    text: str = f"parathyroidectomy in the last {PARATHYROIDECTOMY_DAYS} days with calcium known and not high"

    def evaluate(self, facts: Facts) -> Finding:
        done = OPERATED.evaluate(facts)
        if done.answer is not Answer.MET:
            because = (
                "procedures not readable (parathyroidectomy)" if facts.procedures is None else done.because
            )
            return Finding(self.text, done.answer, because, done.sources, done.optional)
        high = HighCalcium().evaluate(facts)
        if high.answer is Answer.MET:
            return not_met(self.text, f"{done.because}; {high.because}", *done.sources)
        if high.answer is Answer.NOT_MET:
            return met(self.text, f"{done.because}; {high.because}", *done.sources, *high.sources)
        because = "after parathyroidectomy: check calcium before changing"
        return unknown(self.text, because, *done.sources, optional=True)


OPERATED = HadProcedure((vs.PARATHYROIDECTOMY,), PARATHYROIDECTOMY_DAYS)


@dataclass(frozen=True, slots=True)
class CalciumCoversLowering:
    """Denosumab or a calcimimetic is active and calcium is below 9.0 mg/dL: the calcium may be needed."""

    text: str = f"denosumab or a calcimimetic is active with calcium below {LOWER_CALCIUM} mg/dL"

    def evaluate(self, facts: Facts) -> Finding:
        taking = Taking((vs.DENOSUMAB, vs.CALCIMIMETICS)).evaluate(facts)
        draw = facts.feature(current_draw)
        if taking.answer is Answer.NOT_MET:
            return not_met(self.text, taking.because, *taking.sources)
        if draw is None:
            return unknown(self.text, f"{taking.because}; calcium not usable", *taking.sources, optional=True)
        because = f"{taking.because}; calcium {show_interval(draw.corrected, 1)} mg/dL"
        if not below(draw.corrected[0], LOWER_CALCIUM):
            return not_met(self.text, because, *taking.sources)
        doubt = facts.feature(calcium_doubt)
        if doubt is not None:
            return unknown(self.text, f"{because}, but {doubt}", *taking.sources, optional=True)
        # With the medication list unreadable the suppression is not applied; no delete is offered.
        return Finding(self.text, taking.answer, because, taking.sources, optional=True)


@dataclass(frozen=True, slots=True)
class CalciumKnownNotLow:
    """Corrected calcium of 8.4 mg/dL or more is known, and no recent parathyroidectomy is on record."""

    text: str = "corrected calcium known and not low, no parathyroidectomy in the last 90 days"

    def evaluate(self, facts: Facts) -> Finding:
        low = LowCalcium(even_doubtful=True).evaluate(facts)
        operated = OPERATED.evaluate(facts)
        if Answer.MET in (low.answer, operated.answer):
            return not_met(self.text, f"{low.because}; {operated.because}")
        if Answer.UNKNOWN in (low.answer, operated.answer):
            return unknown(self.text, f"{low.because}; {operated.because}", optional=True)
        return met(self.text, low.because, *low.sources)


@dataclass(frozen=True, slots=True)
class MayTreatHypocalcaemia:
    """Low calcium, or a recent parathyroidectomy with calcium known and not high: the drug may be needed."""

    text: str = "low calcium, or parathyroidectomy in the last 90 days with calcium known and not high"

    def evaluate(self, facts: Facts) -> Finding:
        low = LowCalcium(even_doubtful=True).evaluate(facts)
        after = AfterParathyroidectomy().evaluate(facts)
        for finding in (low, after):
            if finding.answer is Answer.MET:
                return met(self.text, finding.because, *finding.sources)
        # An unknown calcium neither silences nor switches the text.
        return not_met(self.text, f"{low.because}; {after.because}", *low.sources)


@dataclass(frozen=True, slots=True)
class OperatedCalciumUnknown:
    """A recent parathyroidectomy while calcium is not known."""

    text: str = "parathyroidectomy in the last 90 days and calcium not known"

    def evaluate(self, facts: Facts) -> Finding:
        operated = OPERATED.evaluate(facts)
        if operated.answer is Answer.MET and HighCalcium().evaluate(facts).answer is Answer.UNKNOWN:
            return met(self.text, operated.because, *operated.sources)
        return not_met(self.text, operated.because, *operated.sources)
