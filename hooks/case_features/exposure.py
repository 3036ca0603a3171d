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
    Joined,
    Medication,
    MedicationState,
    Message,
    Number,
    Record,
    Taking,
    Text,
    above,
    below,
    in_groups,
    met,
    not_met,
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


class CalciumLoad(Record, frozen=True, gc=False):
    """Elemental calcium a day, line by line. `complete` is False when some dose is not known."""

    total: Decimal
    lines: tuple[Text, ...]
    not_computable: tuple[Text, ...]
    given_but_unreadable: bool
    list_unreadable: bool
    sources: tuple[str, ...]

    @property
    def told(self) -> tuple[Text, ...]:
        """The arithmetic, then the doses that could not be worked out."""
        missing = (Message("{drug}: dose not computable", drug=drug) for drug in self.not_computable)
        return (*self.lines, *missing)


def elemental_total(load: CalciumLoad) -> Text:
    """`1,014 mg elemental calcium/day`."""
    return Message("{amount} mg elemental calcium/day", amount=Number(load.total, 0))


def calcium_load(facts: Facts) -> CalciumLoad:
    """All drafts and all active oral calcium; a draft replaces the active order of the same drug."""
    return add_up(counted(facts), list_unreadable=facts.may_lack("medications"))


def counted(facts: Facts) -> list[Medication]:
    """The oral calcium that is added up."""
    signed = [item for order in facts.orders if (item := order.medication) and not item.stopped]
    drafts = [item for item in signed if facts.order and _ORAL.counts(item)]
    items = [*drafts]
    for item in _ORAL.found(facts):
        replaced = any(not item.sets.isdisjoint(draft.sets) for draft in drafts)
        if item.state is MedicationState.ACTIVE and not replaced:
            items.append(item)
    return items


def add_up(items: list[Medication], *, list_unreadable: bool = False) -> CalciumLoad:
    """Elemental calcium of these medicines together."""
    lines: list[Text] = []
    missing: list[Text] = []
    total, unreadable = Decimal(0), False
    for item in items:
        elemental = _elemental(item)
        if elemental is None:
            missing.append(item.title)
            unreadable = unreadable or item.dose_given
        else:
            total += elemental.amount
            lines.append(
                Message(
                    "{drug} {dose} = {amount} mg elemental calcium/day",
                    drug=item.title,
                    dose=elemental.text,
                    amount=Number(elemental.amount, 0),
                )
            )
    sources = tuple(item.source for item in items)
    return CalciumLoad(total, tuple(lines), tuple(missing), unreadable, list_unreadable, sources)


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
        because = Joined("; ", load.told)
        if above(load.total, limit(facts, T10)):
            return Finding(self, Answer.MET, because, load.sources)
        if load.list_unreadable:
            unread = Message("current medicines not readable")
            return Finding(self, Answer.UNKNOWN, Joined("; ", (*load.told, unread)), load.sources)
        if load.given_but_unreadable:
            return Finding(self, Answer.UNKNOWN, because, load.sources)
        return Finding(self, Answer.NOT_MET, because or Message("no oral calcium"), load.sources)


@dataclass(frozen=True, slots=True)
class ReducesDose:
    """The draft lowers the daily dose of the same drug against the active order."""

    text: str = "the order lowers the daily dose against the active order"

    def evaluate(self, facts: Facts) -> Finding:
        draft = facts.order.medication if facts.order else None
        if draft is None or draft.daily_dose is None:
            return not_met(self, Message("daily dose of the order not computable"))
        for item in facts.medications or ():
            same = not item.sets.isdisjoint(draft.sets) and item.source != draft.source
            before = item.daily_dose if same and item.state is MedicationState.ACTIVE else None
            if before is not None and below(draft.daily_dose.amount, before.amount):
                return met(
                    self,
                    Message("{before} before, now {now}", before=before.text, now=draft.daily_dose.text),
                    item.source,
                )
        return not_met(self, Message("no active order with a higher dose"))


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
            unread = Message("procedures not readable (parathyroidectomy)")
            because = unread if facts.procedures is None else done.because
            return Finding(self, done.answer, because, done.sources, done.optional)
        high = HighCalcium().evaluate(facts)
        if high.answer is Answer.MET:
            return not_met(
                self,
                Message("{because}; {because2}", because=done.because, because2=high.because),
                *done.sources,
            )
        if high.answer is Answer.NOT_MET:
            return met(
                self,
                Message("{because}; {because2}", because=done.because, because2=high.because),
                *done.sources,
                *high.sources,
            )
        because = Message("after parathyroidectomy: check calcium before changing")
        return unknown(self, because, *done.sources, optional=True)


OPERATED = HadProcedure((vs.PARATHYROIDECTOMY,), PARATHYROIDECTOMY_DAYS)


@dataclass(frozen=True, slots=True)
class CalciumCoversLowering:
    """Denosumab or a calcimimetic is active and calcium is below 9.0 mg/dL: the calcium may be needed."""

    text: str = f"denosumab or a calcimimetic is active with calcium below {LOWER_CALCIUM} mg/dL"

    def evaluate(self, facts: Facts) -> Finding:
        taking = Taking((vs.DENOSUMAB, vs.CALCIMIMETICS)).evaluate(facts)
        draw = facts.feature(current_draw)
        if taking.answer is Answer.NOT_MET:
            return not_met(self, taking.because, *taking.sources)
        if draw is None:
            return unknown(
                self,
                Message("{because}; calcium not usable", because=taking.because),
                *taking.sources,
                optional=True,
            )
        because = Message(
            "{because}; calcium {value} mg/dL",
            because=taking.because,
            value=show_interval(draw.corrected, 1),
        )
        if not below(draw.corrected[0], LOWER_CALCIUM):
            return not_met(self, because, *taking.sources)
        doubt = facts.feature(calcium_doubt)
        if doubt is not None:
            return unknown(
                self,
                Message("{because}, but {doubt}", because=because, doubt=doubt),
                *taking.sources,
                optional=True,
            )
        # With the medication list unreadable the suppression is not applied; no delete is offered.
        return Finding(self, taking.answer, because, taking.sources, optional=True)


@dataclass(frozen=True, slots=True)
class CalciumKnownNotLow:
    """Corrected calcium of 8.4 mg/dL or more is known, and no recent parathyroidectomy is on record."""

    text: str = "corrected calcium known and not low, no parathyroidectomy in the last 90 days"

    def evaluate(self, facts: Facts) -> Finding:
        low = LowCalcium(even_doubtful=True).evaluate(facts)
        operated = OPERATED.evaluate(facts)
        if Answer.MET in (low.answer, operated.answer):
            return not_met(
                self, Message("{because}; {because2}", because=low.because, because2=operated.because)
            )
        if Answer.UNKNOWN in (low.answer, operated.answer):
            return unknown(
                self,
                Message("{because}; {because2}", because=low.because, because2=operated.because),
                optional=True,
            )
        return met(self, low.because, *low.sources)


@dataclass(frozen=True, slots=True)
class MayTreatHypocalcaemia:
    """Low calcium, or a recent parathyroidectomy with calcium known and not high: the drug may be needed."""

    text: str = "low calcium, or parathyroidectomy in the last 90 days with calcium known and not high"

    def evaluate(self, facts: Facts) -> Finding:
        low = LowCalcium(even_doubtful=True).evaluate(facts)
        after = AfterParathyroidectomy().evaluate(facts)
        for finding in (low, after):
            if finding.answer is Answer.MET:
                return met(self, finding.because, *finding.sources)
        # An unknown calcium neither silences nor switches the text.
        return not_met(
            self, Message("{because}; {because2}", because=low.because, because2=after.because), *low.sources
        )


@dataclass(frozen=True, slots=True)
class OperatedCalciumUnknown:
    """A recent parathyroidectomy while calcium is not known."""

    text: str = "parathyroidectomy in the last 90 days and calcium not known"

    def evaluate(self, facts: Facts) -> Finding:
        operated = OPERATED.evaluate(facts)
        if operated.answer is Answer.MET and HighCalcium().evaluate(facts).answer is Answer.UNKNOWN:
            return met(self, operated.because, *operated.sources)
        return not_met(self, operated.because, *operated.sources)
