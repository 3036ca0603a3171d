"""Ca x P: pairing by draw, the product with total and corrected calcium, trend, thresholds T1, T2, T5.

Calcium and phosphate of one draw are preferred; else they may lie at most 7 days apart. The most recent
computable pair is used, not the highest. A result such as "<5.5" never enters a product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from operator import itemgetter

from cds_service.api import (
    Answer,
    Deferred,
    Facts,
    Finding,
    Joined,
    Lab,
    Message,
    Record,
    Text,
    When,
    above,
    at_least,
    latest,
)
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_CORRECTED, PHOSPHATE
from hooks.case_features.calcium import (
    TREND_DAYS,
    Basis,
    CalciumDraw,
    Drawn,
    Interval,
    both_ends,
    days_apart,
    doubt_about,
    draw_at,
    draw_doubts,
    in_force,
    ionised_high,
    of_a_year,
    passed_over,
    show_interval,
    unusable,
    usable,
    with_slack,
)
from hooks.thresholds import T1, T2, Limit, limit

PAIR_DAYS = 7
UNCORRECTED_BAND = Decimal("0.10")
SQUARED_FACTOR = Decimal("4.0078") * Decimal("3.0974")
"""mg2/dL2 in one mmol2/L2 (about 12.414)."""


class Pair(Record, frozen=True, gc=False):
    """Calcium and phosphate that belong together, with both products in mg2/dL2."""

    calcium: CalciumDraw
    phosphate: Lab
    product: Interval
    """With corrected calcium (or total, when it is not corrected)."""
    product_total: Interval
    preliminary: bool

    @property
    def when(self) -> When:
        """The later of the two dates."""
        other = self.phosphate.when
        return other if other is not None and other.instant > self.calcium.when.instant else self.calcium.when

    @property
    def uncorrected(self) -> bool:
        return self.calcium.basis is Basis.UNCORRECTED

    @property
    def sources(self) -> tuple[str, ...]:
        return (*self.calcium.sources, self.phosphate.source)


_Recency = tuple[int, bool, float, bool]
_Placed = tuple[_Recency, Pair]


def pairs(facts: Facts, drawn: Callable[[Facts], Drawn] = of_a_year) -> Iterator[Pair]:
    """Computable pairs, newest first, one for each calcium draw.

    They are made as far as they are read: a pair is passed on as soon as no older draw can make a newer one.
    """
    found, made = facts.feature(drawn), facts.feature(_made)
    phosphates = usable(facts, PHOSPHATE, min(found.days + with_slack(PAIR_DAYS), TREND_DAYS))
    waiting: list[_Placed] = []
    for when in found.times:
        while waiting and waiting[0][1].when.instant > _latest_yet(waiting[0][1], when, phosphates):
            yield waiting.pop(0)[1]
        if when not in made:
            made[when] = _paired(facts, draw_at(facts, when, found), phosphates)
        waiting = sorted((*waiting, *made[when]), key=itemgetter(0), reverse=True)
    for _, pair in waiting:
        yield pair


def _latest_yet(first: Pair, when: When, phosphates: list[Lab]) -> datetime:
    """Not before this time do the pairs of a draw at `when`, and of older ones, come before `first`."""
    latest = when.instant + timedelta(days=with_slack(PAIR_DAYS))
    if first.phosphate.when != first.calcium.when:
        return latest
    # Of all pairs with its phosphate the one of the same draw comes first: only other phosphates matter.
    others = (lab.when.instant for lab in phosphates if lab.when and lab is not first.phosphate)
    newest = max(when.instant, next(others, when.instant))
    return min(latest, newest + timedelta(days=with_slack(0)))


def _made(facts: Facts) -> dict[When, list[_Placed]]:  # noqa: ARG001 - a feature: one for each call
    return {}


def _paired(facts: Facts, draw: CalciumDraw | None, phosphates: list[Lab]) -> list[_Placed]:
    """The pairs of one calcium draw: with its freshest final phosphate, and with its freshest preliminary one."""
    if draw is None:
        return []
    near = [lab for lab in phosphates if lab.when and days_apart(lab.when, draw.when) <= PAIR_DAYS]
    kinds = ([lab for lab in near if lab.preliminary is preliminary] for preliminary in (False, True))
    found = [_pair(draw, max(kind, key=lambda lab: _freshness(draw, lab))) for kind in kinds if kind]
    return [(_recency(pair, facts), pair) for pair in found]


def _freshness(draw: CalciumDraw, lab: Lab) -> tuple[int, bool, float, str]:
    """Later day first; on one day the same draw first."""
    when = lab.when or draw.when
    return max(when.day, draw.when.day).toordinal(), when == draw.when, when.instant.timestamp(), lab.source


def _recency(pair: Pair, facts: Facts) -> _Recency:
    newest = -facts.age_days(pair.when)
    same_draw = pair.phosphate.when == pair.calcium.when
    return newest, same_draw, pair.calcium.when.instant.timestamp(), not pair.preliminary


def _pair(draw: CalciumDraw, lab: Lab) -> Pair:
    low, high = lab.low or Decimal(0), lab.high or Decimal(0)
    total = draw.total_interval
    return Pair(
        draw,
        lab,
        (draw.corrected[0] * low, draw.corrected[1] * high),
        (total[0] * low, total[1] * high),
        preliminary=draw.preliminary or lab.preliminary,
    )


def current_pair(facts: Facts) -> Pair | None:
    """Newest final pair of which neither value is out of date."""
    shown = facts.feature(shown_pair)
    if shown is None or not shown.preliminary:
        return shown
    found = pairs(facts, in_force)
    return next((pair for pair in found if not pair.preliminary and _usable_now(facts, pair)), None)


def shown_pair(facts: Facts) -> Pair | None:
    """The pair to print: the current one, or a newer preliminary one, which decides nothing."""
    return next((pair for pair in pairs(facts, in_force) if _usable_now(facts, pair)), None)


def _usable_now(facts: Facts, pair: Pair) -> bool:
    """Of a calcium that is in force; the phosphate must not be out of date either."""
    when = pair.phosphate.when
    return when is not None and facts.age_days(when) <= PHOSPHATE.ageing_days


def trend(facts: Facts) -> tuple[Pair, ...]:
    """Last three final pairs within 12 months, newest first."""
    return tuple(islice((pair for pair in pairs(facts) if not pair.preliminary), 3))


def product_doubt(facts: Facts) -> Text | None:
    """Why a clear answer from the current pair would not be sound, if so."""
    doubts: list[Text] = []
    for analyte in (CALCIUM, CALCIUM_CORRECTED, PHOSPHATE, ALBUMIN):
        doubt = doubt_about(facts, analyte)
        if doubt is not None and not (analyte is CALCIUM_CORRECTED and latest(facts, analyte).last is None):
            doubts.append(Message("{analyte}: {doubt}", analyte=Message(analyte.title), doubt=doubt))
    pair = facts.feature(current_pair)
    doubts += _passed_over(facts, pair) if pair else []
    return Joined("; ", doubts) or None


def _passed_over(facts: Facts, pair: Pair) -> list[Text]:
    """Unusable results that would have counted in place of those of the pair."""
    return [
        *draw_doubts(facts, pair.calcium),
        *(
            passed_over(PHOSPHATE, lab)
            for lab in unusable(facts, PHOSPHATE)
            if lab.when and pair.phosphate.when and lab.when.instant > pair.phosphate.when.instant
        ),
    ]


def why_no_product(facts: Facts) -> Text:
    """Reason to print when Ca x P cannot be worked out."""
    reasons = []
    for analyte in (CALCIUM, PHOSPHATE):
        found = latest(facts, analyte)
        if found.lab is None and not (analyte is CALCIUM and _adjusted(facts)):
            reasons.append(Message("{analyte}: {why}", analyte=Message(analyte.title), why=found.why_none))
    return Joined("; ", reasons) or Message(
        "calcium and phosphate were not drawn within 7 days of each other"
    )


def _adjusted(facts: Facts) -> bool:
    return latest(facts, CALCIUM_CORRECTED).lab is not None


@dataclass(frozen=True, slots=True)
class ProductReaches:
    """Ca x P against T1 (at least) or T2 (above).

    With `full`, the product does not count when it reaches the threshold only through our own albumin
    correction (unless ionised calcium is high), or when it is uncorrected and within 10 % of the
    threshold: such a tier is shown as `info`.
    """

    threshold: Limit
    full: bool = False

    @property
    def text(self) -> str:
        but = ", not only through correction and not uncorrected near the threshold" if self.full else ""
        item = self.threshold
        return f"Ca x P {item.sign} {item.value} {item.unit}{but} ({item.source})"

    def evaluate(self, facts: Facts) -> Finding:
        pair = facts.feature(current_pair)
        if pair is None:
            reason = facts.feature(why_no_product)
            return Finding(self, Answer.UNKNOWN, Message("Ca x P not computable ({reason})", reason=reason))
        threshold = limit(facts, self.threshold)
        answer = both_ends(pair.product, lambda value: self._reached(value, threshold))
        because: Text = Deferred(tell_pair, pair)
        if answer is Answer.MET and self.full:
            weak = self._weakness(facts, pair, threshold)
            if weak is not None:
                answer, because = Answer.NOT_MET, Message("{because}; {weak}", because=because, weak=weak)
        # Only what would clear a rule is put in doubt.
        if answer is Answer.NOT_MET and (doubt := facts.feature(product_doubt)):
            return Finding(
                self,
                Answer.UNKNOWN,
                Message("{because}, but {doubt}", because=because, doubt=doubt),
                pair.sources,
            )
        return Finding(self, answer, because, pair.sources)

    def _reached(self, value: Decimal, threshold: Decimal) -> bool:
        return above(value, threshold) if self.threshold.sign == "above" else at_least(value, threshold)

    def _weakness(self, facts: Facts, pair: Pair, threshold: Decimal) -> Text | None:
        if only_through_correction(pair, self.threshold, threshold) and not facts.feature(ionised_high):
            return Message("depends on albumin correction")
        if pair.uncorrected and not above(abs(pair.product[0] - threshold), UNCORRECTED_BAND * threshold):
            return Message("uncorrected and within 10 % of the threshold")
        return None


def only_through_correction(pair: Pair, item: Limit, threshold: Decimal) -> bool:
    """Reached with our corrected calcium but not with the total."""
    test = above if item.sign == "above" else at_least
    return (
        pair.calcium.by_us and test(pair.product[0], threshold) and not test(pair.product_total[0], threshold)
    )


def tell_pair(pair: Pair) -> Text:
    """`Ca x P 64.4 mg2/dL2 corrected, 58.6 with total calcium, on 12 Nov 2026`."""
    value = show_interval(pair.product, 1)
    if pair.calcium.by_us:
        told = Message(
            "Ca x P {value} mg2/dL2 corrected, {total} with total calcium, on {when}",
            value=value,
            total=show_interval(pair.product_total, 1),
            when=pair.when,
        )
    elif pair.uncorrected:
        told = Message("Ca x P {value} mg2/dL2 uncorrected, on {when}", value=value, when=pair.when)
    else:
        told = Message("Ca x P {value} mg2/dL2 albumin considered, on {when}", value=value, when=pair.when)
    return Message("{value} (preliminary)", value=told) if pair.preliminary else told


def si_product(value: Decimal) -> Decimal:
    """mmol2/L2 from mg2/dL2, for display."""
    return value / SQUARED_FACTOR


HIGH_PRODUCT = ProductReaches(T1)
HIGH_PRODUCT_FULL = ProductReaches(T1, full=True)
VERY_HIGH_PRODUCT = ProductReaches(T2)
VERY_HIGH_PRODUCT_FULL = ProductReaches(T2, full=True)
