"""Low calcium by each of its measures, so that a card prints the one that is low (rules 16 and 17)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import (
    Answer,
    AnyOf,
    Asked,
    Deferred,
    Facts,
    Finding,
    HasProblem,
    Message,
    Text,
    below,
    latest,
    met,
    not_met,
    unknown,
    within,
)
from hooks import valuesets as vs
from hooks.analytes import CALCIUM_IONISED
from hooks.case_features.calcium import (
    CalciumDraw,
    both_ends,
    calcium_doubt,
    current_draw,
    ionised,
    ionised_low,
    show_interval,
    tell_draw,
    why_no_calcium,
)
from hooks.case_features.ordered import OrderedFor
from hooks.thresholds import T4, limit

RECENT_DAYS = 7
_PRIMARY = (vs.HYPERPARATHYROIDISM_PRIMARY, vs.PARATHYROID_CARCINOMA)
PRIMARY_PARATHYROID_DISEASE = AnyOf((HasProblem(_PRIMARY), OrderedFor(_PRIMARY)))


def lower_limit(draw: CalciumDraw) -> Decimal | None:
    """The laboratory's own lower limit for the calcium of this draw, in mg/dL, when it sent one."""
    lab = draw.adjusted or draw.total
    return lab.reference_low if lab else None


def _corrected_below(asked: Asked, facts: Facts, threshold: Decimal, draw: CalciumDraw) -> Finding:
    answer = both_ends(draw.corrected, lambda value: below(value, threshold))
    because: Text = Deferred(tell_draw, draw)
    if answer is not Answer.NOT_MET and not draw.certain:
        because = Message(
            "total calcium {value} mg/dL without a usable albumin",
            value=show_interval(draw.corrected, 1),
        )
        return unknown(asked, because, *draw.sources)
    if answer is Answer.NOT_MET and (doubt := facts.feature(calcium_doubt)):
        return unknown(asked, Message("{because}, but {doubt}", because=because, doubt=doubt), *draw.sources)
    return Finding(asked, answer, because, draw.sources)


@dataclass(frozen=True, slots=True)
class CorrectedLow:
    """T4 by the corrected calcium alone; an uncorrected total below it is UNKNOWN."""

    text: str = f"corrected calcium below {T4.value} mg/dL ({T4.source})"

    def evaluate(self, facts: Facts) -> Finding:
        draw = facts.feature(current_draw)
        if draw is None:
            return unknown(self, why_no_calcium(facts))
        found = _corrected_below(self, facts, limit(facts, T4), draw)
        doubt = latest(facts, CALCIUM_IONISED).doubt
        if found.answer is Answer.NOT_MET and doubt is not None:
            return unknown(self, Message("ionised calcium: {doubt}", doubt=doubt), *draw.sources)
        return found


@dataclass(frozen=True, slots=True)
class CorrectedBelowLabLimit:
    """Corrected calcium below (not at) the laboratory's own lower limit."""

    text: str = "corrected calcium below the laboratory's own lower limit"

    def evaluate(self, facts: Facts) -> Finding:
        draw = facts.feature(current_draw)
        if draw is None:
            return unknown(self, why_no_calcium(facts))
        bound = lower_limit(draw)
        if bound is None:
            return not_met(self, Message("no reference range with the result"), *draw.sources)
        return _corrected_below(self, facts, bound, draw)


@dataclass(frozen=True, slots=True)
class IonisedLow:
    """Ionised calcium below (not at) the laboratory's own lower limit."""

    text: str = "ionised calcium below the laboratory's own lower limit"

    def evaluate(self, facts: Facts) -> Finding:
        lab, doubt = facts.feature(ionised), latest(facts, CALCIUM_IONISED).doubt
        because = (
            Message("ionised calcium {value} on {when}", value=lab.as_sent, when=lab.when)
            if lab
            else Message("no ionised calcium")
        )
        sources = (lab.source,) if lab else ()
        if facts.feature(ionised_low):
            return met(self, because, *sources)
        if doubt is not None:
            return unknown(self, Message("{because}, but {doubt}", because=because, doubt=doubt), *sources)
        return not_met(self, because, *sources)


ANY_LOW = AnyOf((CorrectedLow(), IonisedLow(), CorrectedBelowLabLimit()))


@dataclass(frozen=True, slots=True)
class RecentLowCalcium:
    """T4 by a calcium drawn in the last 7 days; an older calcium leaves the question open."""

    text: str = f"low calcium (T4) drawn in the last {RECENT_DAYS} days"

    def evaluate(self, facts: Facts) -> Finding:
        lab = facts.feature(ionised)
        recent = lab is not None and lab.when is not None and within(facts, lab.when, RECENT_DAYS)
        if lab is not None and recent and facts.feature(ionised_low):
            return met(
                self,
                Message("ionised calcium {value} on {when}", value=lab.as_sent, when=lab.when),
                lab.source,
            )
        draw = facts.feature(current_draw)
        if draw is None:
            return unknown(self, why_no_calcium(facts))
        if facts.age_days(draw.when) > RECENT_DAYS:
            because = Message(
                "calcium: last result {when} is older than {days} days",
                when=draw.when,
                days=RECENT_DAYS,
            )
            return unknown(self, because, *draw.sources)
        found = _corrected_below(self, facts, limit(facts, T4), draw)
        doubt = latest(facts, CALCIUM_IONISED).doubt
        if found.answer is Answer.NOT_MET and doubt is not None:
            return unknown(self, Message("ionised calcium: {doubt}", doubt=doubt), *draw.sources)
        return found
