"""Mineral values as cards print them: value, unit, date, how they were corrected, trend."""

from __future__ import annotations

from decimal import Decimal

from cds_service.api import TOLERANCE, Analyte, Answer, Facts, Lab, currency, latest, show, tell
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_IONISED, PHOSPHATE, PTH
from hooks.case_features.calcium import (
    Basis,
    CalciumDraw,
    CalciumOnlyAfterCorrection,
    HighCalcium,
    Interval,
    calcium_bound,
    current_draw,
    high_bound,
    ionised,
    ionised_high,
    show_interval,
)
from hooks.case_features.product import (
    VERY_HIGH_PRODUCT_FULL,
    Pair,
    current_pair,
    only_through_correction,
    shown_pair,
    si_product,
    trend,
    why_no_product,
)
from hooks.case_features.pth import tell_pth
from hooks.labs_missing import missing_labs
from hooks.thresholds import T1, T2, T3, T4, T5, T7, T7_ABSOLUTE, limit

_CA_SI = Decimal("4.0078")
_P_SI = Decimal("3.0974")
_SI = "SI"


_CUT_OFFS = {CALCIUM.id: (T3, T4), PHOSPHATE.id: (T5,)}


def amount(value: Decimal, analyte: Analyte, facts: Facts) -> str:
    """`11.6 mg/dL` or `2.89 mmol/L`, in the unit system of the client.

    One more decimal is shown where rounding would make a value look equal to a cut-off that it is not
    equal to ("10.2 is above 10.2").
    """
    cut_offs = [limit(facts, item) for item in _CUT_OFFS.get(analyte.id, ())]
    if facts.units == _SI and analyte.si_unit in analyte.factors:
        factor = analyte.factors[analyte.si_unit or ""]
        shown = _apart(value / factor, [item / factor for item in cut_offs], analyte.si_decimals)
        return f"{shown} {analyte.si_unit}"
    return f"{_apart(value, cut_offs, analyte.decimals)} {analyte.unit}"


def _apart(value: Decimal, cut_offs: list[Decimal], decimals: int) -> str:
    """`value` rounded, with one more decimal where it would otherwise read like a cut-off it differs from."""
    text = show(value, decimals)
    for cut_off in cut_offs:
        if text == show(cut_off, decimals) and abs(value - cut_off) > TOLERANCE:
            return show(value, decimals + 1)
    return text


def ionised_text(lab: Lab) -> str:
    """`1.33 mmol/L`, whatever unit the laboratory used; as it was sent when it is no single number."""
    if lab.exact is None:
        return lab.as_sent
    ends = [end for end in (lab.reference_low, lab.reference_high) if end is not None]
    return f"{_apart(lab.exact, ends, CALCIUM_IONISED.decimals)} {CALCIUM_IONISED.unit}"


def product_text(value: Decimal, facts: Facts) -> str:
    cut_offs = [limit(facts, T1), limit(facts, T2)]
    if facts.units == _SI:
        return f"{_apart(si_product(value), [si_product(item) for item in cut_offs], 2)} mmol2/L2"
    return f"{_apart(value, cut_offs, 1)} mg2/dL2"


def caxp(facts: Facts) -> str:
    pair = facts.feature(current_pair)
    return product_text(pair.product[1], facts) if pair else ""


def goal(facts: Facts) -> str:
    value = limit(facts, T1)
    return show(si_product(value), 2) if facts.units == _SI else f"{value.normalize():f}"


def ca(facts: Facts) -> str:
    draw = facts.feature(current_draw)
    return amount(draw.corrected[1], CALCIUM, facts) if draw else ""


def p(facts: Facts) -> str:
    """The phosphate; of two conflicting results the lower, which is high as well when the tier is met."""
    lab = latest(facts, PHOSPHATE).lab
    return _one_value(lab, lab.low if lab else None, PHOSPHATE, facts)


def pth(facts: Facts) -> str:
    """PTH; of two conflicting results the higher, which is low as well when the tier is met."""
    lab = latest(facts, PTH).lab
    return _one_value(lab, lab.high if lab else None, PTH, facts)


def _one_value(lab: Lab | None, end: Decimal | None, analyte: Analyte, facts: Facts) -> str:
    if lab is None:
        return ""
    bound = lab.low is None or lab.high is None
    return lab.as_sent if end is None or bound else amount(end, analyte, facts)


def pth_low_limit(facts: Facts) -> str:
    """`2 x ULN`, or the absolute limit when the laboratory gave no upper limit."""
    lab = latest(facts, PTH).lab
    if lab is not None and lab.reference_high:
        return f"{T7.value} x ULN"
    return f"{T7_ABSOLUTE.value} pg/mL"


def t3(facts: Facts) -> str:
    if facts.units == _SI and limit(facts, T3) == T3.value:
        # As KDOQI prints it: 10.2 mg/dL is 2.545 mmol/L, and rounded up a value of 2.55 would not be above it.
        return "2.54 mmol/L"
    return amount(limit(facts, T3), CALCIUM, facts)


def t4(facts: Facts) -> str:
    return amount(limit(facts, T4), CALCIUM, facts)


def prange(facts: Facts) -> str:
    return "1.13-1.78 mmol/L" if facts.units == _SI else "3.5-5.5 mg/dL"


def trigger(facts: Facts) -> str:
    """The value or values that met the tier: `corrected Ca 11.6 mg/dL, Ca x P 80.0`."""
    parts = []
    lab = facts.feature(ionised)
    bound = facts.feature(high_bound)
    draw = facts.feature(current_draw)
    if facts.feature(ionised_high) and lab is not None:
        parts.append(f"ionised Ca {ionised_text(lab)}")
    elif bound is not None:
        parts.append(f"Ca {bound.as_sent}")
    elif draw is not None and HighCalcium(full=True).evaluate(facts).answer is Answer.MET:
        name = "corrected Ca" if draw.by_us or draw.basis is Basis.LABORATORY else "Ca"
        parts.append(f"{name} {amount(draw.corrected[1], CALCIUM, facts)}")
    pair = facts.feature(current_pair)
    if pair is not None and VERY_HIGH_PRODUCT_FULL.evaluate(facts).answer is Answer.MET:
        text = product_text(pair.product[1], facts)
        parts.append(f"Ca x P {text.split()[0] if parts else text}")
    return ", ".join(parts)


def date(facts: Facts) -> str:
    """Date of the values in the summary: of the pair when it gave the tier, else of the calcium."""
    pair = facts.feature(current_pair)
    draw = facts.feature(current_draw)
    high = facts.feature(ionised) if facts.feature(ionised_high) else facts.feature(high_bound) or draw
    if high is not None and HighCalcium(full=True).evaluate(facts).answer is Answer.MET:
        return str(high.when)
    return str(pair.when) if pair else str(draw.when) if draw else ""


def pair_date(facts: Facts) -> str:
    pair = facts.feature(current_pair)
    return str(pair.when) if pair else ""


def ca_date(facts: Facts) -> str:
    draw = facts.feature(current_draw)
    return str(draw.when) if draw else ""


def p_date(facts: Facts) -> str:
    lab = latest(facts, PHOSPHATE).lab
    return str(lab.when) if lab else ""


def pth_date(facts: Facts) -> str:
    lab = latest(facts, PTH).lab
    return str(lab.when) if lab else ""


def calcium_line(facts: Facts) -> str:
    """Total, corrected, albumin and ionised calcium with dates and the KDOQI level."""
    draw = facts.feature(current_draw)
    bound = facts.feature(calcium_bound)
    found = [f"Calcium {bound.as_sent}, {bound.when}"] if bound else []
    found += [_draw_text(draw, facts)] if draw else []
    text = "; ".join(found) or f"Calcium not usable: {latest(facts, CALCIUM).why_none}"
    lab = facts.feature(ionised)
    if lab is not None:
        text += f"; ionised {ionised_text(lab)} on {lab.when}"
    if not found:
        return text
    note = "; depends on albumin correction" if depends_on_correction_now(facts) else ""
    return f"{text} (KDOQI 2003 action level: above {t3(facts)}{note})"


def depends_on_correction_now(facts: Facts) -> bool:
    """T3 is reached with our corrected calcium only, and ionised calcium does not confirm it."""
    return CalciumOnlyAfterCorrection().evaluate(facts).answer is Answer.MET


def _draw_text(draw: CalciumDraw, facts: Facts) -> str:
    total = amounts(draw.total_interval, CALCIUM, facts)
    if draw.basis is Basis.PAYNE and draw.albumin is not None:
        corrected = amounts(draw.corrected, CALCIUM, facts)
        albumin = _level(draw.albumin, ALBUMIN, facts)
        text = f"Calcium {total}, corrected {corrected} (Payne, albumin {albumin} of {draw.albumin.when})"
    elif draw.basis is Basis.LABORATORY:
        corrected = amounts(draw.corrected, CALCIUM, facts)
        text = f"Calcium {corrected} as adjusted by the laboratory"
        if draw.total is not None:
            text += f", total {total}"
    elif draw.basis is Basis.NORMAL_ALBUMIN and draw.albumin is not None:
        text = f"Calcium {total}, no correction needed (albumin {_level(draw.albumin, ALBUMIN, facts)})"
    else:
        text = f"Calcium {total}, {draw.basis}"
    days = facts.age_days(draw.when)
    aged = f" ({days} days old)" if days > CALCIUM.current_days else ""
    return f"{text}, {draw.when}{aged}"


def amounts(interval: Interval, analyte: Analyte, facts: Facts) -> str:
    low, high = (amount(end, analyte, facts) for end in interval)
    return low if low == high else f"{low} or {high} (conflicting results)"


def _level(lab: Lab, analyte: Analyte, facts: Facts) -> str:
    return amount(lab.exact, analyte, facts) if lab.exact is not None else lab.as_sent


def phosphate_line(facts: Facts) -> str:
    found = latest(facts, PHOSPHATE)
    preliminary = found.preliminary
    if found.lab is None:
        if preliminary is not None:
            return f"Phosphate {preliminary.as_sent} on {preliminary.when} (preliminary: not used)"
        return f"Phosphate not usable: {found.why_none}"
    text = f"Phosphate {_level(found.lab, PHOSPHATE, facts)}, {found.lab.when}"
    if currency(facts, PHOSPHATE, found.lab) != "current" and found.lab.when:
        text += f" ({facts.age_days(found.lab.when)} days old)"
    limit_text = amount(limit(facts, T5), PHOSPHATE, facts)
    return f"{text} (KDOQI range {prange(facts)}; above {limit_text} is high)"


def product_line(facts: Facts) -> str:
    """The product with everything it was worked out from, the cut-offs, and what a low value means not."""
    pair = facts.feature(shown_pair)
    if pair is None:
        return f"Ca x P not evaluable: {facts.feature(why_no_product)}"
    note = " (preliminary: not used)" if pair.preliminary else ""
    text = f"Ca x P {_both_units(pair.product, facts)}{note}, {pair.when}: {_terms(pair, facts)}"
    if pair.calcium.by_us:
        text += f"; {show_interval(pair.product_total, 1)} with total calcium"
    goal_value = f"{limit(facts, T1).normalize():f}"
    cut_offs = f"KDOQI 2003 goal below {goal_value}, Weenig 2007 above {limit(facts, T2).normalize():f}"
    note = _correction_note(pair, facts)
    return f"{text}. {cut_offs}. {note}A value below {goal_value} does not exclude calciphylaxis"


def _terms(pair: Pair, facts: Facts) -> str:
    """`calcium 9.8 mg/dL (no correction needed, albumin 4.0 g/dL) x phosphate 6.4 mg/dL`."""
    draw = pair.calcium
    calcium = amounts(draw.corrected, CALCIUM, facts)
    if draw.basis is Basis.PAYNE and draw.albumin is not None:
        total = amounts(draw.total_interval, CALCIUM, facts)
        how = f"corrected for albumin {_level(draw.albumin, ALBUMIN, facts)}, total {total}"
    elif draw.basis is Basis.NORMAL_ALBUMIN and draw.albumin is not None:
        how = f"albumin {_level(draw.albumin, ALBUMIN, facts)}, no correction"
    else:
        how = str(draw.basis)
    text = f"calcium {calcium} ({how}) x phosphate {_level(pair.phosphate, PHOSPHATE, facts)}"
    apart = pair.phosphate.when
    return text if apart is None or apart.day == draw.when.day else f"{text} ({apart}; calcium {draw.when})"


def _correction_note(pair: Pair, facts: Facts) -> str:
    dependent = any(only_through_correction(pair, item, limit(facts, item)) for item in (T1, T2))
    if dependent and not facts.feature(ionised_high):
        return "This depends on albumin correction: check ionised calcium. "
    return ""


def _both_units(product: Interval, facts: Facts) -> str:
    cut_offs = [limit(facts, T1), limit(facts, T2)]
    low, high = (_apart(end, cut_offs, 1) for end in product)
    text = low if low == high else f"{low} or {high} (conflicting results)"
    si = _apart(si_product(product[1]), [si_product(item) for item in cut_offs], 2)
    return f"{text} mg2/dL2 ({si} mmol2/L2)"


def trend_line(facts: Facts) -> str:
    """Up to three Ca x P values of the last 12 months, oldest first."""
    found = facts.feature(trend)
    if len(found) < 2:  # noqa: PLR2004
        return ""
    values = [f"{product_text(pair.product[1], facts)} ({pair.when})" for pair in reversed(found)]
    return f"Ca x P trend: {', '.join(values)}. KDIGO 2017: judge serial calcium, phosphate and PTH together"


def pth_line(facts: Facts) -> str:
    found = latest(facts, PTH)
    return tell_pth(found.lab) if found.lab else f"PTH not usable: {found.why_none}"


def ionised_line(facts: Facts) -> str:
    lab = facts.feature(ionised)
    return tell(lab, CALCIUM_IONISED) if lab else "ionised calcium not available"


def labs(facts: Facts) -> str:
    """`Ca, P, albumin and PTH`: the analytes rule 7 found missing."""
    names = [item.short for item in facts.feature(missing_labs)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def days(facts: Facts) -> str:
    """The window within which nothing usable was found."""
    found = facts.feature(missing_labs)
    return str(min(item.analyte.ageing_days for item in found)) if found else "90"


def missing_lines(facts: Facts) -> tuple[str, ...]:
    """Each missing analyte with its last value and why that is not usable."""
    return tuple(f"{item.analyte.title}: {item.why}" for item in facts.feature(missing_labs))
