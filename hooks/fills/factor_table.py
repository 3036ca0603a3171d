"""The factor table of the patient view: one line for each factor, values in the client's units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cds_service.api import Analyte, Answer, Facts, Lab, latest, show
from hooks.analytes import ALBUMIN, ALP, CALCIUM, PHOSPHATE, PTH
from hooks.case_features.calciphylaxis import calciphylaxis
from hooks.case_features.calcium import Basis, current_draw, ionised, ionised_high
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


def cut_line(text: str, most: int = LINE) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def factor_lines(facts: Facts) -> tuple[str, ...]:
    """The whole factor table, one line each, in its fixed order."""
    return tuple(_factor_line(item, facts) for item in facts.feature(factors))


def factor_line(facts: Facts, ident: str) -> str:
    """The line of one factor, the same words wherever it stands."""
    return next(_factor_line(item, facts) for item in facts.feature(factors) if item.id == ident)


def _factor_line(item: Factor, facts: Facts) -> str:
    label = f"{item.label} (modifiable)" if item.modifiable else item.label
    if item.id == "female-sex" or (item.state is State.ABSENT and item.id not in _SHOWN_WHEN_ABSENT):
        return f"{label}: {item.shown}"
    make = _VALUES.get(item.id)
    value = make(facts) if make is not None and item.state is not State.UNKNOWN else item.because
    value = "; ".join(part for part in (value, _preliminary(item.id, facts)) if part)
    return f"{label}: {item.shown}, {cut_line(value, _LONGEST.get(item.id, LINE))}"


def _preliminary(ident: str, facts: Facts) -> str:
    """A preliminary value is shown, and said not to count."""
    pair = facts.feature(shown_pair) if ident == "ca-x-p" else None
    analyte = _ANALYTES.get(ident)
    lab = latest(facts, analyte).preliminary if analyte is not None else None
    if analyte is not None and lab is not None:
        return f"{_level(lab, analyte, facts)}, {lab.when} (preliminary: not used)"
    return f"{_tell_pair(pair)} (preliminary: not used)" if pair is not None and pair.preliminary else ""


def _product(facts: Facts) -> str:
    """`64.4 mg2/dL2 (5.19 mmol2/L2) corrected, 58.6 total, 12 Nov 2026; before 52.1 (4 Sep 2026), ...`."""
    pair = facts.feature(current_pair)
    return "; ".join(_told_product(pair, facts)) if pair else ""


def _told_product(pair: Pair, facts: Facts) -> Iterator[str]:
    yield _tell_pair(pair)
    if VERY_HIGH_PRODUCT.evaluate(facts).answer is Answer.MET:
        yield f"above {limit(facts, T2).normalize():f} (Weenig 2007)"
    else:
        yield f"KDOQI 2003 goal <{limit(facts, T1).normalize():f}"
    dependent = any(only_through_correction(pair, item, limit(facts, item)) for item in (T1, T2))
    if dependent and not facts.feature(ionised_high):
        yield "depends on albumin correction"
    earlier = facts.feature(trend)[1:]
    if earlier:
        yield f"before {', '.join(f'{show(each.product[1], 1)} ({each.when})' for each in earlier)}"


def _tell_pair(pair: Pair) -> str:
    low, high = (f"{show(end, 1)}" for end in pair.product)
    value = low if low == high else f"{low} or {high}"
    text = f"{value} mg2/dL2 ({show(si_product(pair.product[1]), 2)} mmol2/L2)"
    if pair.calcium.by_us:
        text += f" corrected, {show(pair.product_total[1], 1)} total"
    elif pair.calcium.basis in (Basis.UNCORRECTED, Basis.NOT_CORRECTED):
        text += f" {pair.calcium.basis}"
    return f"{text}, {pair.when}"


def _calcium(facts: Facts) -> str:
    """`10.6 mg/dL corrected (total 9.6 mg/dL, albumin 2.8 g/dL), 12 Nov 2026; ionised 1.21 mmol/L, ...`."""
    draw = facts.feature(current_draw)
    parts = []
    if draw is not None:
        value = minerals.amounts(draw.corrected, CALCIUM, facts)
        if draw.by_us:
            total = minerals.amounts(draw.total_interval, CALCIUM, facts)
            value += f" corrected (total {total}, albumin {_level(draw.albumin, ALBUMIN, facts)})"
        else:
            value += f" {draw.basis}"
        parts.append(f"{value}, {draw.when}; KDOQI 2003 limit {minerals.t3(facts)}")
    lab = facts.feature(ionised)
    if lab is not None:
        parts.append(f"ionised {lab.as_sent}, {lab.when}")
    if minerals.depends_on_correction_now(facts):
        parts.append("depends on albumin correction")
    return "; ".join(parts)


def _level(lab: Lab | None, analyte: Analyte, facts: Facts) -> str:
    if lab is None or lab.exact is None:
        return lab.as_sent if lab is not None else ""
    return minerals.amount(lab.exact, analyte, facts)


def _value(analyte: Analyte, facts: Facts) -> str:
    """`6.1 mg/dL, 12 Nov 2026`."""
    lab = latest(facts, analyte).lab
    return f"{_level(lab, analyte, facts)}, {lab.when}" if lab else ""


def _phosphate(facts: Facts) -> str:
    """`6.1 mg/dL, 12 Nov 2026 (KDOQI 3.5-5.5 mg/dL)`."""
    return f"{_value(PHOSPHATE, facts)} (KDOQI {minerals.prange(facts)})"


def _pth(facts: Facts) -> str:
    """`very high, 1,300 pg/mL, 16 Oct 2026 (20.0 x ULN)`."""
    lab = latest(facts, PTH).lab
    upper = lab.reference_high if lab else None
    multiple = f" ({show(lab.exact / upper, 1)} x ULN)" if lab and lab.exact and upper else ""
    return f"{'very high, ' if very_high_pth(facts) else ''}{_value(PTH, facts)}{multiple}"


def _albumin(facts: Facts) -> str:
    """`very low (below 3.0 g/dL), 2.8 g/dL, 12 Nov 2026`."""
    limit_text = minerals.amount(T8_VERY.value, ALBUMIN, facts)
    very = f"very low (below {limit_text}), " if very_low_albumin(facts) else ""
    return very + _value(ALBUMIN, facts)


def _alp(facts: Facts) -> str:
    return _value(ALP, facts)


def _calciphylaxis(facts: Facts) -> str:
    return facts.feature(calciphylaxis).because


_VALUES: Mapping[str, Callable[[Facts], str]] = {
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
