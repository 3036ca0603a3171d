"""Calcium: albumin correction, ionised calcium, and the thresholds T3 (high) and T4 (low).

Correction (Payne): corrected = total + 0.8 x (4.0 - albumin in g/dL), applied only below 4.0 g/dL. A
value that the laboratory already adjusted is used as it is and never corrected again. The correction is
poorly validated in haemodialysis, so cards print total and corrected and say when a tier depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from cds_service.api import (
    Analyte,
    Answer,
    Deferred,
    Facts,
    Finding,
    Joined,
    Lab,
    Message,
    Number,
    Record,
    Text,
    When,
    above,
    below,
    decide,
    latest,
    tell,
)
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_CORRECTED, CALCIUM_IONISED
from hooks.thresholds import T3, T4, limit

PAYNE_SLOPE = Decimal("0.8")
NORMAL_ALBUMIN = Decimal("4.0")
ALBUMIN_WINDOW_DAYS = 30
IONISED_WINDOW_DAYS = 7
TREND_DAYS = 365

Interval = tuple[Decimal, Decimal]


class Basis(Enum):
    """Where the corrected calcium of a draw comes from."""

    LABORATORY = Message("adjusted by the laboratory")
    PAYNE = Message("corrected for albumin")
    NORMAL_ALBUMIN = Message("no correction needed (albumin 4.0 g/dL or more)")
    UNCORRECTED = Message("uncorrected (no recent albumin)")
    NOT_CORRECTED = Message("uncorrected (site setting)")


class CalciumDraw(Record, frozen=True, gc=False):
    """One calcium draw: total, albumin used, corrected value. Values in mg/dL, albumin in g/dL."""

    when: When
    total: Lab | None
    adjusted: Lab | None
    albumin: Lab | None
    corrected: Interval
    basis: Basis
    preliminary: bool

    @property
    def by_us(self) -> bool:
        """The value was changed by our own correction."""
        return self.basis is Basis.PAYNE

    @property
    def certain(self) -> bool:
        """It is a corrected value, or one that needs no correction."""
        return self.basis in (Basis.LABORATORY, Basis.PAYNE, Basis.NORMAL_ALBUMIN)

    @property
    def total_interval(self) -> Interval:
        """Total calcium; the adjusted value when the laboratory sent no total."""
        return _interval(self.total or self.adjusted) or self.corrected

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(lab.source for lab in (self.total, self.adjusted, self.albumin) if lab is not None)


class Drawn(Record, frozen=True, gc=False):
    """What the calcium draws of some days are made of, by time of the draw."""

    days: int
    totals: dict[When, Lab]
    adjusted: dict[When, Lab]
    albumins: list[Lab]
    times: list[When]
    """Newest first."""


def in_force(facts: Facts) -> Drawn:
    """What was drawn so lately that it may drive a threshold: all that most cards ask for."""
    return _drawn(facts, CALCIUM.ageing_days)


def of_a_year(facts: Facts) -> Drawn:
    """What was drawn in the last 365 days."""
    return _drawn(facts, TREND_DAYS)


def _drawn(facts: Facts, days: int) -> Drawn:
    totals, adjusted = _by_time(facts, CALCIUM, days), _by_time(facts, CALCIUM_CORRECTED, days)
    albumins = usable(facts, ALBUMIN, min(days + with_slack(ALBUMIN_WINDOW_DAYS), TREND_DAYS))
    times = sorted(totals | adjusted, key=lambda when: when.instant, reverse=True)
    return Drawn(days, totals, adjusted, [lab for lab in albumins if not lab.preliminary], times)


def with_slack(days: int) -> int:
    """More days than there can be between results that count as `days` apart, in whatever zone and precision."""
    return days + 3


def _by_time(facts: Facts, analyte: Analyte, days: int) -> dict[When, Lab]:
    return {lab.when: lab for lab in usable(facts, analyte, days) if lab.when}


def usable(facts: Facts, analyte: Analyte, days: int) -> list[Lab]:
    """Results of the last `days` that may enter arithmetic, newest first (preliminary ones included)."""
    return [
        lab
        for lab in facts.results(analyte, days) or ()
        if lab.problem is None
        and lab.excluded is None
        and lab.when is not None
        and lab.low is not None
        and lab.high is not None
    ]


def draws(facts: Facts, drawn: Callable[[Facts], Drawn] = of_a_year) -> Iterator[CalciumDraw]:
    """Calcium draws that give a number, newest first (preliminary ones included)."""
    found = facts.feature(drawn)
    for when in found.times:
        draw = draw_at(facts, when, found)
        if draw is not None:
            yield draw


def draw_at(facts: Facts, when: When, drawn: Drawn) -> CalciumDraw | None:
    """The draw of one of the times. Only those that somebody reads are made, each once: a card needs the newest."""
    made = facts.feature(_made)
    if when not in made:
        made[when] = _draw(facts, when, drawn)
    return made[when]


def _made(facts: Facts) -> dict[When, CalciumDraw | None]:  # noqa: ARG001 - a feature: one for each call
    return {}


def _interval(lab: Lab | None) -> Interval | None:
    """Both ends, for a result that may enter arithmetic; a comparator result may not."""
    if lab is None or lab.low is None or lab.high is None:
        return None
    return lab.low, lab.high


def _draw(facts: Facts, when: When, drawn: Drawn) -> CalciumDraw | None:
    total, adjusted = drawn.totals.get(when), drawn.adjusted.get(when)
    method = facts.settings.get("calcium_correction", "payne")
    final = total is not None and not total.preliminary
    own = _interval(adjusted)
    if adjusted is not None and own is not None and method != "none" and not (adjusted.preliminary and final):
        return CalciumDraw(when, total, adjusted, None, own, Basis.LABORATORY, adjusted.preliminary)
    value = _interval(total)
    if value is None:
        return None
    preliminary = not final
    if method != "payne":
        return CalciumDraw(when, total, adjusted, None, value, Basis.NOT_CORRECTED, preliminary)
    near = [lab for lab in drawn.albumins if _may_correct(facts, when, lab)]
    albumin = min(near, key=lambda lab: _distance(lab, when)) if near else None
    level = _interval(albumin)
    if albumin is None or level is None:
        return CalciumDraw(when, total, adjusted, None, value, Basis.UNCORRECTED, preliminary)
    low = value[0] + _payne(level[1])
    high = value[1] + _payne(level[0])
    basis = Basis.PAYNE if _payne(level[0]) > 0 else Basis.NORMAL_ALBUMIN
    return CalciumDraw(when, total, adjusted, albumin, (low, high), basis, preliminary)


def _payne(albumin: Decimal) -> Decimal:
    """What the correction adds, in mg/dL; nothing at 4.0 g/dL or more."""
    return max(PAYNE_SLOPE * (NORMAL_ALBUMIN - albumin), Decimal(0))


def _may_correct(facts: Facts, when: When, albumin: Lab) -> bool:
    """At most 30 days to either side of the draw; beside a calcium that counts today it must count as well."""
    if albumin.when is None or days_apart(albumin.when, when) > ALBUMIN_WINDOW_DAYS:
        return False
    return facts.age_days(albumin.when) <= ALBUMIN.ageing_days or facts.age_days(when) > CALCIUM.ageing_days


def _distance(lab: Lab, when: When) -> tuple[float, str]:
    seconds = abs((lab.when.instant - when.instant).total_seconds()) if lab.when else float("inf")
    return seconds, lab.source


def days_apart(first: When, second: When) -> int:
    """Whole 24-hour periods between two draws; calendar days when either has no time of day."""
    if first.precision == "time" and second.precision == "time":
        return abs(first.instant - second.instant).days
    return abs((first.day - second.day).days)


def current_draw(facts: Facts) -> CalciumDraw | None:
    """Newest final calcium draw that is not out of date."""
    return next((draw for draw in draws(facts, in_force) if not draw.preliminary), None)


def calcium_doubt(facts: Facts) -> Text | None:
    """Why a clear answer from the current calcium would not be sound, if so."""
    draw = facts.feature(current_draw)
    doubts: list[Text] = []
    for analyte in (CALCIUM, CALCIUM_CORRECTED, ALBUMIN):
        doubt = doubt_about(facts, analyte)
        if doubt is None:
            continue
        if analyte is CALCIUM_CORRECTED and latest(facts, analyte).last is None and draw is not None:
            continue
        doubts.append(Message("{analyte}: {doubt}", analyte=Message(analyte.title), doubt=doubt))
    if draw is not None:
        doubts += draw_doubts(facts, draw)
    return Joined("; ", doubts) or None


def any_calcium_doubt(facts: Facts) -> Text | None:
    """The same of total and ionised calcium together."""
    doubts = (facts.feature(calcium_doubt), facts.feature(ionised_doubt))
    return Joined("; ", doubts) or None


def draw_doubts(facts: Facts, draw: CalciumDraw) -> list[Text]:
    """Unusable results that would have counted in place of those of `draw`: a newer calcium, a nearer albumin."""
    passed = [
        (analyte, lab)
        for analyte in (CALCIUM, CALCIUM_CORRECTED)
        for lab in unusable(facts, analyte)
        if lab.when is not None and lab.when.instant > draw.when.instant
    ]
    if draw.basis in (Basis.PAYNE, Basis.NORMAL_ALBUMIN, Basis.UNCORRECTED):
        farthest = _distance(draw.albumin, draw.when)[0] if draw.albumin else float("inf")
        passed += [
            (ALBUMIN, lab)
            for lab in unusable(facts, ALBUMIN)
            if lab.when is not None
            and _may_correct(facts, draw.when, lab)
            and _distance(lab, draw.when)[0] <= farthest
        ]
    return [passed_over(analyte, lab) for analyte, lab in passed]


def passed_over(analyte: Analyte, lab: Lab) -> Text:
    """`phosphate of 12 Nov 2026 not usable: unit missing`."""
    return Message(
        "{analyte} of {when} not usable: {why}",
        analyte=Message(analyte.title),
        when=lab.when,
        why=why_unusable(lab),
    )


def why_unusable(lab: Lab) -> Text:
    """Why a result cannot be used; one without a fault of its own is preliminary."""
    return lab.problem or Message("preliminary")


def unusable(facts: Facts, analyte: Analyte) -> list[Lab]:
    """Results that could count but for their unit, value, date or status; out-of-date ones could not."""
    return [
        lab
        for lab in facts.results(analyte, analyte.ageing_days) or ()
        if lab.excluded is None and (lab.problem is not None or lab.preliminary)
    ]


def ionised_doubt(facts: Facts) -> Text | None:
    """Why the ionised calcium leaves the question open: one that belongs to now cannot be used."""
    used, draw = latest(facts, CALCIUM_IONISED).lab, facts.feature(current_draw)
    for lab in unusable(facts, CALCIUM_IONISED):
        older = used is not None and used.when and lab.when and lab.when.instant < used.when.instant
        if not older and (lab.when is None or _belongs_to_now(facts, lab.when, draw)):
            name = Message(CALCIUM_IONISED.title)
            return Message("{analyte} not usable: {why}", analyte=name, why=why_unusable(lab))
    return None


def doubt_about(facts: Facts, analyte: Analyte) -> Text | None:
    """What stands against the latest result; a bound such as `>15` enters no arithmetic and is a doubt too."""
    found = latest(facts, analyte)
    if found.doubt is None and found.lab is not None and _interval(found.lab) is None:
        return Message(
            "{value} on {when} is a bound, not a value", value=found.lab.as_sent, when=found.lab.when
        )
    return found.doubt


def calcium_bound(facts: Facts) -> Lab | None:
    """The latest calcium when it is only a bound (`>15`) and newer than every draw that gives a number."""
    draw = facts.feature(current_draw)
    for analyte in (CALCIUM_CORRECTED, CALCIUM):
        lab = latest(facts, analyte).lab
        if lab is None or lab.when is None or _interval(lab) is not None:
            continue
        if draw is None or lab.when.instant > draw.when.instant:
            return lab
    return None


def high_bound(facts: Facts) -> Lab | None:
    """The latest calcium when it is a bound above T3. Correction only raises a total, so it decides."""
    bound = facts.feature(calcium_bound)
    if bound is None or bound.low is None or not above(bound.low, limit(facts, T3)):
        return None
    return bound


def why_no_calcium(facts: Facts) -> Text:
    """Why there is no calcium to judge by."""
    return Message("calcium: {why}", why=latest(facts, CALCIUM).why_none)


def ionised(facts: Facts) -> Lab | None:
    """Ionised calcium that belongs to now: within 7 days of the current calcium draw or of the call."""
    found = latest(facts, CALCIUM_IONISED).lab
    if found is None or found.when is None:
        return None
    return found if _belongs_to_now(facts, found.when, facts.feature(current_draw)) else None


def _belongs_to_now(facts: Facts, when: When, draw: CalciumDraw | None) -> bool:
    if facts.age_days(when) <= IONISED_WINDOW_DAYS:
        return True
    return draw is not None and days_apart(when, draw.when) <= IONISED_WINDOW_DAYS


def ionised_high(facts: Facts) -> bool:
    """Above (>) the laboratory's own upper limit; a value equal to the limit is normal."""
    lab = facts.feature(ionised)
    upper = lab.reference_high if lab else None
    return lab is not None and lab.low is not None and upper is not None and above(lab.low, upper)


def ionised_low(facts: Facts) -> bool:
    """Below (<) the laboratory's own lower limit; a value equal to the limit is normal."""
    lab = facts.feature(ionised)
    lower = lab.reference_low if lab else None
    return lab is not None and lab.high is not None and lower is not None and below(lab.high, lower)


def both_ends(interval: Interval, test: Callable[[Decimal], bool]) -> Answer:
    """MET or NOT_MET when both ends agree, else UNKNOWN (conflicting results for one time)."""
    low, high = test(interval[0]), test(interval[1])
    if low is high:
        return Answer.MET if low else Answer.NOT_MET
    return Answer.UNKNOWN


def tell_draw(draw: CalciumDraw) -> Text:
    """`corrected calcium 10.6 mg/dL (total 9.6, albumin 2.8 g/dL) on 12 Nov 2026`."""
    value = show_interval(draw.corrected, 1)
    if draw.basis is Basis.PAYNE and draw.total and draw.albumin:
        return Message(
            "corrected calcium {value} mg/dL (total {total}, albumin {albumin}) on {when}",
            value=value,
            total=show_interval(draw.total_interval, 1),
            albumin=draw.albumin.as_sent,
            when=draw.when,
        )
    basis = draw.basis.value
    if draw.basis is Basis.LABORATORY:
        return Message(
            "corrected calcium {value} mg/dL ({basis}) on {when}", value=value, basis=basis, when=draw.when
        )
    return Message("calcium {value} mg/dL, {basis}, on {when}", value=value, basis=basis, when=draw.when)


def show_interval(interval: Interval, decimals: int) -> Text:
    low, high = (Number(end, decimals) for end in interval)
    return low if interval[0] == interval[1] or low == high else conflicting(low, high)


def conflicting(low: Text, high: Text) -> Text:
    """Two results of one time that do not agree."""
    return Message("{low} or {high} (conflicting results)", low=low, high=high)


@dataclass(frozen=True, slots=True)
class HighCalcium:
    """T3: corrected calcium above the KDOQI action level, or ionised calcium above its upper limit.

    With `full`, a tier that is reached only by our own albumin correction does not count (it is shown one
    step lower).
    """

    full: bool = False

    @property
    def text(self) -> str:
        but = ", not only through albumin correction" if self.full else ""
        return (
            f"corrected calcium above {T3.value} mg/dL{but} ({T3.source}), or ionised calcium above its limit"
        )

    def evaluate(self, facts: Facts) -> Finding:
        """Asked by many rules and lines of a card, so it is worked out once per call."""
        return facts.feature(_fully_high if self.full else _high)

    def judge(self, facts: Facts) -> Finding:
        """Work it out."""
        lab = facts.feature(ionised)
        if lab is not None and facts.feature(ionised_high):
            return Finding(
                self,
                Answer.MET,
                Message("ionised calcium {value} on {when}", value=lab.as_sent, when=lab.when),
                (lab.source,),
            )
        threshold = limit(facts, T3)
        bound = facts.feature(high_bound)
        if bound is not None:
            return Finding(self, Answer.MET, tell(bound, CALCIUM), (bound.source,))
        draw = facts.feature(current_draw)
        if draw is None:
            why = facts.feature(any_calcium_doubt) or why_no_calcium(facts)
            return Finding(self, Answer.UNKNOWN, why)
        answer = both_ends(draw.corrected, lambda value: above(value, threshold))
        because: Text = Deferred(tell_draw, draw)
        if answer is Answer.MET and self.full and depends_on_correction(draw, threshold):
            answer, because = (
                Answer.NOT_MET,
                Message("{because}; depends on albumin correction", because=because),
            )
        # Only what would clear a rule is put in doubt.
        if answer is Answer.NOT_MET and (doubt := facts.feature(any_calcium_doubt)):
            return Finding(
                self,
                Answer.UNKNOWN,
                Message("{because}, but {doubt}", because=because, doubt=doubt),
                draw.sources,
            )
        return Finding(self, answer, because, draw.sources)


def _high(facts: Facts) -> Finding:
    return HighCalcium().judge(facts)


def _fully_high(facts: Facts) -> Finding:
    return HighCalcium(full=True).judge(facts)


def depends_on_correction(draw: CalciumDraw, threshold: Decimal) -> bool:
    """Above the threshold with our corrected value but not with the total."""
    return draw.by_us and not above(draw.total_interval[0], threshold)


@dataclass(frozen=True, slots=True)
class LowCalcium:
    """T4: corrected calcium below 8.4 mg/dL or ionised calcium below its lower limit.

    An uncorrected total below 8.4 without a usable albumin is UNKNOWN; an unknown T4 neither silences a
    rule nor switches its text, so it never holds one up. So is a low value that a newer, unusable result
    puts in doubt: it must not silence a rule. With `even_doubtful` it counts: calcium is not to be withheld.
    """

    even_doubtful: bool = False
    text: str = f"low calcium: corrected below {T4.value} mg/dL ({T4.source}) or ionised below its limit"

    def evaluate(self, facts: Facts) -> Finding:
        found = self._found(facts)
        lab = facts.feature(ionised)
        # An ionised calcium of these days stands by itself, whatever became of the total calcium.
        by_itself = facts.feature(ionised_low) and lab and lab.when and _belongs_to_now(facts, lab.when, None)
        doubt = facts.feature(ionised_doubt if by_itself else any_calcium_doubt)
        bound = facts.feature(calcium_bound)
        decided = bound is not None and found.sources == (bound.source,)
        if found.answer is not Answer.MET or doubt is None or decided or self.even_doubtful:
            return found
        because = Message("{because}, but {doubt}", because=found.because, doubt=doubt)
        return Finding(self, Answer.UNKNOWN, because, found.sources, optional=True)

    def _found(self, facts: Facts) -> Finding:
        lab = facts.feature(ionised)
        if lab is not None and facts.feature(ionised_low):
            return Finding(
                self,
                Answer.MET,
                Message("ionised calcium {value} on {when}", value=lab.as_sent, when=lab.when),
                (lab.source,),
            )
        threshold = limit(facts, T4)
        bound = facts.feature(calcium_bound)
        if bound is not None:
            return self._by_bound(bound, threshold)
        draw = facts.feature(current_draw)
        if draw is None:
            because = Message("low calcium not excluded ({why})", why=why_no_calcium(facts))
            return Finding(self, Answer.UNKNOWN, because, optional=True)
        answer = both_ends(draw.corrected, lambda value: below(value, threshold))
        if answer is not Answer.NOT_MET and not draw.certain:
            because = Message(
                "total calcium {value} mg/dL without a usable albumin: low calcium not excluded",
                value=show_interval(draw.corrected, 1),
            )
            return Finding(self, Answer.UNKNOWN, because, draw.sources, optional=True)
        return Finding(self, answer, tell_draw(draw), draw.sources, optional=True)

    def _by_bound(self, bound: Lab, threshold: Decimal) -> Finding:
        """`<7` decides only for a calcium that the laboratory adjusted: correction may lift a total."""
        answer = decide(bound, lambda value: below(value, threshold), rising=False)
        if answer is Answer.MET and bound.analyte != CALCIUM_CORRECTED.id:
            answer = Answer.UNKNOWN
        return Finding(self, answer, tell(bound, CALCIUM), (bound.source,), optional=True)


@dataclass(frozen=True, slots=True)
class CalciumOnlyAfterCorrection:
    """T3 is reached, but only through our own albumin correction: shown one step lower."""

    text: str = f"calcium above {T3.value} mg/dL only after albumin correction"

    def evaluate(self, facts: Facts) -> Finding:
        any_way = HighCalcium().evaluate(facts)
        if any_way.answer is not Answer.MET:
            return Finding(self, any_way.answer, any_way.because, any_way.sources)
        full = HighCalcium(full=True).evaluate(facts)
        answer = Answer.NOT_MET if full.answer is Answer.MET else Answer.MET
        return Finding(self, answer, full.because, full.sources)
