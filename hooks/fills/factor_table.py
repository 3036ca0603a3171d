"""The factor table of the patient view: one line for each factor, values in the client's units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cds_service.api import Analyte, Answer, Facts, Joined, Message, Number, Shortened, Text, latest
from hooks.analytes import ALBUMIN, ALP, CALCIUM, PHOSPHATE, PTH
from hooks.case_features.calciphylaxis import calciphylaxis
from hooks.case_features.calcium import Basis, CalciumDraw, current_draw, ionised, ionised_high
from hooks.case_features.factor_findings import very_high_pth, very_low_albumin
from hooks.case_features.factors import Factor, State, factors
from hooks.case_features.product import (
    VERY_HIGH_PRODUCT,
    Pair,
    current_pair,
    only_through_correction,
    shown_pair,
    si_product,
    trend,
)
from hooks.fills import minerals
from hooks.thresholds import T1, T2, T8_VERY, limit

LINE = 170
"""Greatest length of what follows a factor's state: the whole card has 3,000 characters."""
_LONGEST = {"ca-x-p": 260, "corrected-calcium": 200}
_SHOWN_WHEN_ABSENT = frozenset(
    {
        "ca-x-p",
        "corrected-calcium",
        "phosphate",
        "pth",
        "low-albumin",
        "obesity",
        "systemic-corticosteroid",
        "dialysis-vintage-or-pd",
        "high-alp",
        "rapid-weight-loss",
    }
)


def factor_lines(facts: Facts) -> tuple[Text, ...]:
    """The whole factor table, one line each, in its fixed order."""
    return tuple(_factor_line(item, facts) for item in facts.feature(factors))


def factor_line(facts: Facts, ident: str) -> Text:
    """The line of one factor, the same words wherever it stands."""
    return next(_factor_line(item, facts) for item in facts.feature(factors) if item.id == ident)


def _factor_line(item: Factor, facts: Facts) -> Text:
    label = Message("{factor} (modifiable)", factor=item.label) if item.modifiable else item.label
    if item.id == "female-sex" or (item.state is State.ABSENT and item.id not in _SHOWN_WHEN_ABSENT):
        return Message("{factor}: {state}", factor=label, state=item.shown)
    make = _VALUES.get(item.id)
    value = make(facts) if make is not None and item.state is not State.UNKNOWN else item.because
    value = Shortened(Joined("; ", (value, _preliminary(item.id, facts))), _LONGEST.get(item.id, LINE))
    return Message("{factor}: {state}, {value}", factor=label, state=item.shown, value=value)


def _preliminary(ident: str, facts: Facts) -> Text | None:
    """A preliminary value is shown, and said not to count."""
    pair = facts.feature(shown_pair) if ident == "ca-x-p" else None
    analyte = _ANALYTES.get(ident)
    lab = latest(facts, analyte).preliminary if analyte is not None else None
    value: Text | None = None
    if analyte is not None and lab is not None:
        value = Message("{value}, {when}", value=minerals.level(lab, analyte, facts), when=lab.when)
    elif pair is not None and pair.preliminary:
        value = _tell_pair(pair)
    return None if value is None else Message("{value} (preliminary: not used)", value=value)


def _product(facts: Facts) -> Text | None:
    """`64.4 mg2/dL2 (5.19 mmol2/L2) corrected, 58.6 total, 12 Nov 2026; before 52.1 (4 Sep 2026), ...`."""
    pair = facts.feature(current_pair)
    return Joined("; ", _told_product(pair, facts)) if pair else None


def _told_product(pair: Pair, facts: Facts) -> Iterator[Text]:
    yield _tell_pair(pair)
    if VERY_HIGH_PRODUCT.evaluate(facts).answer is Answer.MET:
        yield Message("above {limit} (Weenig 2007)", limit=Number(limit(facts, T2)))
    else:
        yield Message("KDOQI 2003 goal <{limit}", limit=Number(limit(facts, T1)))
    dependent = any(only_through_correction(pair, item, limit(facts, item)) for item in (T1, T2))
    if dependent and not facts.feature(ionised_high):
        yield Message("depends on albumin correction")
    earlier = [
        Message("{value} ({when})", value=Number(each.product[1], 1), when=each.when)
        for each in facts.feature(trend)[1:]
    ]
    if earlier:
        yield Message("before {values}", values=Joined(", ", earlier))


def _tell_pair(pair: Pair) -> Text:
    low, high = (Number(end, 1) for end in pair.product)
    one = pair.product[0] == pair.product[1] or low == high
    value = Message(
        "{product} mg2/dL2 ({si} mmol2/L2)",
        product=low if one else Message("{low} or {high}", low=low, high=high),
        si=Number(si_product(pair.product[1]), 2),
    )
    if pair.calcium.by_us:
        total = Number(pair.product_total[1], 1)
        return Message("{value} corrected, {total} total, {when}", value=value, total=total, when=pair.when)
    if pair.calcium.basis in (Basis.UNCORRECTED, Basis.NOT_CORRECTED):
        basis = pair.calcium.basis.value
        return Message("{value} {basis}, {when}", value=value, basis=basis, when=pair.when)
    return Message("{value}, {when}", value=value, when=pair.when)


def _calcium(facts: Facts) -> Text | None:
    """`10.6 mg/dL corrected (total 9.6 mg/dL, albumin 2.8 g/dL), 12 Nov 2026; ionised 1.21 mmol/L, ...`."""
    draw, lab = facts.feature(current_draw), facts.feature(ionised)
    dependent = minerals.depends_on_correction_now(facts)
    return Joined(
        "; ",
        (
            _tell_calcium(draw, facts) if draw is not None else None,
            Message("ionised {value}, {when}", value=lab.as_sent, when=lab.when) if lab is not None else None,
            Message("depends on albumin correction") if dependent else None,
        ),
    )


def _tell_calcium(draw: CalciumDraw, facts: Facts) -> Text:
    value = minerals.amounts(draw.corrected, CALCIUM, facts)
    if draw.by_us and draw.albumin is not None:
        value = Message(
            "{value} corrected (total {total}, albumin {albumin})",
            value=value,
            total=minerals.amounts(draw.total_interval, CALCIUM, facts),
            albumin=minerals.level(draw.albumin, ALBUMIN, facts),
        )
    else:
        value = Message("{value} {basis}", value=value, basis=draw.basis.value)
    return Message(
        "{value}, {when}; KDOQI 2003 limit {limit}", value=value, when=draw.when, limit=minerals.t3(facts)
    )


def _value(analyte: Analyte, facts: Facts) -> Text | None:
    """`6.1 mg/dL, 12 Nov 2026`."""
    lab = latest(facts, analyte).lab
    return (
        Message("{value}, {when}", value=minerals.level(lab, analyte, facts), when=lab.when) if lab else None
    )


def _phosphate(facts: Facts) -> Text:
    """`6.1 mg/dL, 12 Nov 2026 (KDOQI 3.5-5.5 mg/dL)`."""
    return Message("{value} (KDOQI {range})", value=_value(PHOSPHATE, facts), range=minerals.prange(facts))


def _pth(facts: Facts) -> Text | None:
    """`very high, 1,300 pg/mL, 16 Oct 2026 (20.0 x ULN)`."""
    lab = latest(facts, PTH).lab
    upper = lab.reference_high if lab else None
    value = _value(PTH, facts)
    if lab and lab.exact and upper:
        value = Message("{value} ({times} x ULN)", value=value, times=Number(lab.exact / upper, 1))
    return Message("very high, {value}", value=value) if very_high_pth(facts) else value


def _albumin(facts: Facts) -> Text | None:
    """`very low (below 3.0 g/dL), 2.8 g/dL, 12 Nov 2026`."""
    value = _value(ALBUMIN, facts)
    if not very_low_albumin(facts):
        return value
    bound = minerals.amount(T8_VERY.value, ALBUMIN, facts)
    return Message("very low (below {limit}), {value}", limit=bound, value=value)


def _alp(facts: Facts) -> Text | None:
    return _value(ALP, facts)


def _calciphylaxis(facts: Facts) -> Text:
    return facts.feature(calciphylaxis).because


_VALUES: Mapping[str, Callable[[Facts], Text | None]] = {
    "ca-x-p": _product,
    "corrected-calcium": _calcium,
    "phosphate": _phosphate,
    "pth": _pth,
    "low-albumin": _albumin,
    "high-alp": _alp,
    "calciphylaxis-status": _calciphylaxis,
}
"""Factors whose value is printed in the client's units or with more than the finding says."""
_ANALYTES: Mapping[str, Analyte] = {
    "corrected-calcium": CALCIUM,
    "phosphate": PHOSPHATE,
    "pth": PTH,
    "low-albumin": ALBUMIN,
}
