"""PTH against its own upper limit of normal: T6 (high), T7 (low). Assays differ, so multiples come first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import (
    Amount,
    Answer,
    Asked,
    Deferred,
    Facts,
    Finding,
    Joined,
    Lab,
    Message,
    Number,
    Text,
    above,
    below,
    decide,
    latest,
    tell,
)
from hooks.analytes import PTH
from hooks.thresholds import T6, T6_ABSOLUTE, T7, T7_ABSOLUTE, Limit

CONSECUTIVE = 2


def _threshold(upper: Decimal | None, multiple: Limit, absolute: Limit) -> Decimal:
    """The threshold in pg/mL for a result with this upper limit of normal."""
    return multiple.value * upper if upper else absolute.value


def _against(told: Text, upper: Decimal | None, multiple: Limit, absolute: Limit) -> Text:
    """The result beside its threshold, and how that came about."""
    if upper:
        why = Message("{times} x ULN {upper}", times=multiple.value, upper=Amount(upper, PTH))
    else:
        why = Message("{limit}, no ULN given", limit=Amount(absolute.value, PTH))
    return Message("{result} against {why}", result=told, why=why)


def tell_pth(lab: Lab) -> Text:
    """`PTH 620 pg/mL (9.5 x ULN) on 2 Nov 2026`."""
    return _tell(lab, lab.reference_high)


def _tell(lab: Lab, upper: Decimal | None) -> Text:
    exact = lab.exact
    if exact is None or not upper:
        return tell(lab, PTH)
    value = Message("{value} ({times} x ULN)", value=Amount(exact, PTH), times=Number(exact / upper, 1))
    return tell(lab, PTH, value)


def _now(facts: Facts) -> tuple[Lab, Decimal | None, Text] | None:
    """The PTH that counts, its upper limit of normal, and how it is told; worked out once per call."""
    lab = latest(facts, PTH).lab
    if lab is None:
        return None
    upper = lab.reference_high
    return lab, upper, Deferred(_tell, lab, upper)


def pth_high(facts: Facts) -> Finding:
    """T6, worked out once per call."""
    return PthHigh().evaluate(facts)


def pth_low(facts: Facts) -> Finding:
    """T7, worked out once per call."""
    return PthLow().evaluate(facts)


@dataclass(frozen=True, slots=True)
class PthHigh:
    """T6: above 9 times the upper limit of normal (above 600 pg/mL when no limit is given)."""

    text: str = f"PTH above {T6.value} x ULN ({T6.source})"

    def evaluate(self, facts: Facts) -> Finding:
        return _judge(self, facts, T6, T6_ABSOLUTE)


@dataclass(frozen=True, slots=True)
class PthLow:
    """T7: below 2 times the upper limit of normal (below 150 pg/mL when no limit is given)."""

    text: str = f"PTH below {T7.value} x ULN ({T7.source})"

    def evaluate(self, facts: Facts) -> Finding:
        return _judge(self, facts, T7, T7_ABSOLUTE)


def _judge(asked: Asked, facts: Facts, multiple: Limit, absolute: Limit) -> Finding:
    now, found = facts.feature(_now), latest(facts, PTH)
    if now is None:
        return Finding(asked, Answer.UNKNOWN, Message("PTH: {why}", why=found.why_none))
    lab, upper, told = now
    threshold = _threshold(upper, multiple, absolute)
    rising = multiple.sign == "above"
    test = above if rising else below
    answer = decide(lab, lambda value: test(value, threshold), rising=rising)
    because = Deferred(_against, told, upper, multiple, absolute)
    if answer is Answer.NOT_MET and found.doubt:
        return Finding(
            asked,
            Answer.UNKNOWN,
            Message("{because}, but {doubt}", because=because, doubt=found.doubt),
            (lab.source,),
        )
    return Finding(asked, answer, because, (lab.source,))


@dataclass(frozen=True, slots=True)
class PthLowTwice:
    """PTH below 150 pg/mL on two consecutive values (KDOQI: no calcium-based binder then)."""

    text: str = f"PTH below {T7_ABSOLUTE.value} pg/mL on two consecutive values (KDOQI)"

    def evaluate(self, facts: Facts) -> Finding:
        found = latest(facts, PTH)
        if found.lab is None:
            return Finding(self, Answer.UNKNOWN, Message("PTH: {why}", why=found.why_none))
        results = facts.results(PTH) or ()
        usable = [lab for lab in results if _counts(facts, lab)][:CONSECUTIVE]
        answers = [decide(lab, lambda value: below(value, T7_ABSOLUTE.value), rising=False) for lab in usable]
        sources = tuple(lab.source for lab in usable)
        because = Joined("; ", (tell_pth(lab) for lab in usable))
        if Answer.NOT_MET in answers or len(usable) < CONSECUTIVE:
            # Unusable results may be low as well: two newer ones, or one before or beside a low one.
            newer = [lab for lab in results if _unusable(lab) and not _older(lab, usable[:1])]
            between = [lab for lab in results if _unusable(lab) and not _older(lab, usable[1:])]
            pair_possible = len(newer) >= CONSECUTIVE or (between and answers[:1] != [Answer.NOT_MET])
            answer = Answer.UNKNOWN if pair_possible or "labs" in facts.incomplete else Answer.NOT_MET
            return Finding(self, answer, because, sources)
        answer = Answer.MET if all(a is Answer.MET for a in answers) else Answer.UNKNOWN
        return Finding(self, answer, because, sources)


def _unusable(lab: Lab) -> bool:
    return lab.excluded is None and (lab.problem is not None or lab.preliminary)


def _older(lab: Lab, than: list[Lab]) -> bool:
    """Drawn before the result in `than`, if there is one; an undated result may be newer."""
    return lab.when is not None and any(
        other.when is not None and lab.when.instant < other.when.instant for other in than
    )


def _counts(facts: Facts, lab: Lab) -> bool:
    """A final, usable result of the last 365 days."""
    usable = lab.problem is None and lab.excluded is None and not lab.preliminary and lab.when is not None
    return usable and lab.when is not None and facts.age_days(lab.when) <= 365  # noqa: PLR2004
