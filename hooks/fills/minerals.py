"""Mineral values as cards print them: value, unit, date, how they were corrected, trend."""

from __future__ import annotations

from decimal import Decimal

from cds_service.api import (
    TOLERANCE,
    Analyte,
    Answer,
    Facts,
    Joined,
    Lab,
    Message,
    Number,
    Text,
    currency,
    latest,
    rounded,
    tell,
)
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_IONISED, PHOSPHATE, PTH
from hooks.case_features.calcium import (
    Basis,
    CalciumDraw,
    CalciumOnlyAfterCorrection,
    HighCalcium,
    Interval,
    calcium_bound,
    conflicting,
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
from hooks.labs_missing import SHORT, missing_labs
from hooks.thresholds import T1, T2, T3, T4, T5, T7, T7_ABSOLUTE, limit

_SI = "SI"
_T3_SI = Decimal("2.54")
_P_RANGE = (Decimal("3.5"), Decimal("5.5"), "mg/dL")
_P_RANGE_SI = (Decimal("1.13"), Decimal("1.78"), "mmol/L")

_CUT_OFFS = {CALCIUM.id: (T3, T4), PHOSPHATE.id: (T5,)}


def amount(value: Decimal, analyte: Analyte, facts: Facts) -> Text:
    """`11.6 mg/dL` or `2.89 mmol/L`, in the unit system of the client.

    One more decimal is shown where rounding would make a value look equal to a cut-off that it is not
    equal to ("10.2 is above 10.2").
    """
    unit, decimals = analyte.unit, analyte.decimals
    cut_offs = [limit(facts, item) for item in _CUT_OFFS.get(analyte.id, ())]
    if facts.units == _SI and (in_si := analyte.in_si(value)) is not None:
        value, unit, decimals = in_si
        cut_offs = [cut_off / analyte.factors[unit] for cut_off in cut_offs]
    return Message("{number} {unit}", number=_apart(value, cut_offs, decimals), unit=unit)


def _apart(value: Decimal, cut_offs: list[Decimal], decimals: int) -> Number:
    """`value` rounded, with one more decimal where it would otherwise read like a cut-off it differs from."""
    for cut_off in cut_offs:
        # What lies a whole unit apart cannot read alike: most values are not rounded to find out.
        if TOLERANCE < abs(value - cut_off) < 1 and rounded(value, decimals) == rounded(cut_off, decimals):
            return Number(value, decimals + 1)
    return Number(value, decimals)


def ionised_text(lab: Lab) -> Text:
    """`1.33 mmol/L`, whatever unit the laboratory used; as it was sent when it is no single number."""
    if lab.exact is None:
        return lab.as_sent
    ends = [end for end in (lab.reference_low, lab.reference_high) if end is not None]
    number = _apart(lab.exact, ends, CALCIUM_IONISED.decimals)
    return Message("{number} {unit}", number=number, unit=CALCIUM_IONISED.unit)


def _product(value: Decimal, facts: Facts) -> tuple[Number, str]:
    """The product as the client reads it, and its unit."""
    cut_offs = [limit(facts, T1), limit(facts, T2)]
    if facts.units == _SI:
        return _apart(si_product(value), [si_product(item) for item in cut_offs], 2), "mmol2/L2"
    return _apart(value, cut_offs, 1), "mg2/dL2"


def product_text(value: Decimal, facts: Facts) -> Text:
    number, unit = _product(value, facts)
    return Message("{number} {unit}", number=number, unit=unit)


def caxp(facts: Facts) -> Text | None:
    pair = facts.feature(current_pair)
    return product_text(pair.product[1], facts) if pair else None


def goal(facts: Facts) -> Text:
    value = limit(facts, T1)
    return Number(si_product(value), 2) if facts.units == _SI else Number(value)


def ca(facts: Facts) -> Text | None:
    draw = facts.feature(current_draw)
    return amount(draw.corrected[1], CALCIUM, facts) if draw else None


def p(facts: Facts) -> Text | None:
    """The phosphate; of two conflicting results the lower, which is high as well when the tier is met."""
    lab = latest(facts, PHOSPHATE).lab
    return _one_value(lab, lab.low if lab else None, PHOSPHATE, facts)


def pth(facts: Facts) -> Text | None:
    """PTH; of two conflicting results the higher, which is low as well when the tier is met."""
    lab = latest(facts, PTH).lab
    return _one_value(lab, lab.high if lab else None, PTH, facts)


def _one_value(lab: Lab | None, end: Decimal | None, analyte: Analyte, facts: Facts) -> Text | None:
    if lab is None:
        return None
    bound = lab.low is None or lab.high is None
    return lab.as_sent if end is None or bound else amount(end, analyte, facts)


def pth_low_limit(facts: Facts) -> Text:
    """`2 x ULN`, or the absolute limit when the laboratory gave no upper limit."""
    lab = latest(facts, PTH).lab
    if lab is not None and lab.reference_high:
        return Message("{times} x ULN", times=T7.value)
    return Message("{number} {unit}", number=T7_ABSOLUTE.value, unit=PTH.unit)


def t3(facts: Facts) -> Text:
    if facts.units == _SI and limit(facts, T3) == T3.value:
        # As KDOQI prints it: 10.2 mg/dL is 2.545 mmol/L, and rounded up a value of 2.55 would not be above it.
        return Message("{number} {unit}", number=_T3_SI, unit="mmol/L")
    return amount(limit(facts, T3), CALCIUM, facts)


def t4(facts: Facts) -> Text:
    return amount(limit(facts, T4), CALCIUM, facts)


def prange(facts: Facts) -> Text:
    low, high, unit = _P_RANGE_SI if facts.units == _SI else _P_RANGE
    return Message("{low}-{high} {unit}", low=low, high=high, unit=unit)


def trigger(facts: Facts) -> Text | None:
    """The value or values that met the tier: `corrected Ca 11.6 mg/dL, Ca x P 80.0`."""
    calcium = _high_calcium(facts)
    pair = facts.feature(current_pair)
    product = None
    if pair is not None and VERY_HIGH_PRODUCT_FULL.evaluate(facts).answer is Answer.MET:
        number, unit = _product(pair.product[1], facts)
        value = number if calcium else Message("{number} {unit}", number=number, unit=unit)
        product = Message("Ca x P {value}", value=value)
    return Joined(", ", (calcium, product)) or None


def _high_calcium(facts: Facts) -> Text | None:
    """The calcium that met the tier."""
    lab = facts.feature(ionised)
    bound = facts.feature(high_bound)
    draw = facts.feature(current_draw)
    if facts.feature(ionised_high) and lab is not None:
        return Message("ionised Ca {value}", value=ionised_text(lab))
    if bound is not None:
        return Message("Ca {value}", value=bound.as_sent)
    if draw is None or HighCalcium(full=True).evaluate(facts).answer is not Answer.MET:
        return None
    value = amount(draw.corrected[1], CALCIUM, facts)
    if draw.by_us or draw.basis is Basis.LABORATORY:
        return Message("corrected Ca {value}", value=value)
    return Message("Ca {value}", value=value)


def date(facts: Facts) -> Text | None:
    """Date of the values in the summary: of the pair when it gave the tier, else of the calcium."""
    pair = facts.feature(current_pair)
    draw = facts.feature(current_draw)
    high = facts.feature(ionised) if facts.feature(ionised_high) else facts.feature(high_bound) or draw
    if high is not None and HighCalcium(full=True).evaluate(facts).answer is Answer.MET:
        return high.when
    return pair.when if pair else draw.when if draw else None


def pair_date(facts: Facts) -> Text | None:
    pair = facts.feature(current_pair)
    return pair.when if pair else None


def ca_date(facts: Facts) -> Text | None:
    draw = facts.feature(current_draw)
    return draw.when if draw else None


def p_date(facts: Facts) -> Text | None:
    lab = latest(facts, PHOSPHATE).lab
    return lab.when if lab else None


def pth_date(facts: Facts) -> Text | None:
    lab = latest(facts, PTH).lab
    return lab.when if lab else None


def calcium_line(facts: Facts) -> Text:
    """Total, corrected, albumin and ionised calcium with dates and the KDOQI level."""
    draw = facts.feature(current_draw)
    bound = facts.feature(calcium_bound)
    found = Joined(
        "; ",
        (
            Message("Calcium {value}, {when}", value=bound.as_sent, when=bound.when) if bound else None,
            _draw_text(draw, facts) if draw else None,
        ),
    )
    lab = facts.feature(ionised)
    ionised_now = (
        Message("ionised {value} on {when}", value=ionised_text(lab), when=lab.when) if lab else None
    )
    if not found:
        unusable = Message("Calcium not usable: {why}", why=latest(facts, CALCIUM).why_none)
        return Joined("; ", (unusable, ionised_now))
    values = Joined("; ", (found, ionised_now))
    if depends_on_correction_now(facts):
        return Message(
            "{values} (KDOQI 2003 action level: above {limit}; depends on albumin correction)",
            values=values,
            limit=t3(facts),
        )
    return Message("{values} (KDOQI 2003 action level: above {limit})", values=values, limit=t3(facts))


def depends_on_correction_now(facts: Facts) -> bool:
    """T3 is reached with our corrected calcium only, and ionised calcium does not confirm it."""
    return CalciumOnlyAfterCorrection().evaluate(facts).answer is Answer.MET


def _draw_text(draw: CalciumDraw, facts: Facts) -> Text:
    days = facts.age_days(draw.when)
    value = _draw_value(draw, facts)
    if days > CALCIUM.current_days:
        return Message("{value}, {when} ({days} days old)", value=value, when=draw.when, days=days)
    return Message("{value}, {when}", value=value, when=draw.when)


def _draw_value(draw: CalciumDraw, facts: Facts) -> Text:
    total = amounts(draw.total_interval, CALCIUM, facts)
    corrected = amounts(draw.corrected, CALCIUM, facts)
    if draw.basis is Basis.PAYNE and draw.albumin is not None:
        return Message(
            "Calcium {total}, corrected {corrected} (Payne, albumin {albumin} of {when})",
            total=total,
            corrected=corrected,
            albumin=level(draw.albumin, ALBUMIN, facts),
            when=draw.albumin.when,
        )
    if draw.basis is Basis.LABORATORY and draw.total is not None:
        return Message(
            "Calcium {corrected} as adjusted by the laboratory, total {total}",
            corrected=corrected,
            total=total,
        )
    if draw.basis is Basis.LABORATORY:
        return Message("Calcium {corrected} as adjusted by the laboratory", corrected=corrected)
    if draw.basis is Basis.NORMAL_ALBUMIN and draw.albumin is not None:
        albumin = level(draw.albumin, ALBUMIN, facts)
        return Message(
            "Calcium {total}, no correction needed (albumin {albumin})", total=total, albumin=albumin
        )
    return Message("Calcium {total}, {basis}", total=total, basis=draw.basis.value)


def amounts(interval: Interval, analyte: Analyte, facts: Facts) -> Text:
    low = amount(interval[0], analyte, facts)
    if interval[0] == interval[1]:
        return low
    high = amount(interval[1], analyte, facts)
    return low if low == high else conflicting(low, high)


def level(lab: Lab, analyte: Analyte, facts: Facts) -> Text:
    """A result in the client's units; as it was sent when it is no single number."""
    return amount(lab.exact, analyte, facts) if lab.exact is not None else lab.as_sent


def phosphate_line(facts: Facts) -> Text:
    found = latest(facts, PHOSPHATE)
    preliminary = found.preliminary
    if found.lab is None:
        if preliminary is not None:
            return Message(
                "Phosphate {value} on {when} (preliminary: not used)",
                value=preliminary.as_sent,
                when=preliminary.when,
            )
        return Message("Phosphate not usable: {why}", why=found.why_none)
    value = Message(
        "Phosphate {value}, {when}", value=level(found.lab, PHOSPHATE, facts), when=found.lab.when
    )
    if currency(facts, PHOSPHATE, found.lab) != "current" and found.lab.when:
        value = Message("{value} ({days} days old)", value=value, days=facts.age_days(found.lab.when))
    return Message(
        "{value} (KDOQI range {range}; above {limit} is high)",
        value=value,
        range=prange(facts),
        limit=amount(limit(facts, T5), PHOSPHATE, facts),
    )


def product_line(facts: Facts) -> Text:
    """The product with everything it was worked out from, the cut-offs, and what a low value means not."""
    pair = facts.feature(shown_pair)
    if pair is None:
        return Message("Ca x P not evaluable: {why}", why=facts.feature(why_no_product))
    product = Message("Ca x P {product}", product=_both_units(pair.product, facts))
    if pair.preliminary:
        product = Message("{value} (preliminary: not used)", value=product)
    terms = _terms(pair, facts)
    if pair.calcium.by_us:
        total = show_interval(pair.product_total, 1)
        terms = Message("{terms}; {total} with total calcium", terms=terms, total=total)
    goal_value = Number(limit(facts, T1))
    sentences = (
        Message("{product}, {when}: {terms}.", product=product, when=pair.when, terms=terms),
        Message(
            "KDOQI 2003 goal below {goal}, Weenig 2007 above {limit}.",
            goal=goal_value,
            limit=Number(limit(facts, T2)),
        ),
        _correction_note(pair, facts),
        Message("A value below {goal} does not exclude calciphylaxis", goal=goal_value),
    )
    return Joined(" ", sentences)


def _terms(pair: Pair, facts: Facts) -> Text:
    """`calcium 9.8 mg/dL (no correction needed, albumin 4.0 g/dL) x phosphate 6.4 mg/dL`."""
    draw, apart = pair.calcium, pair.phosphate.when
    terms = Message(
        "calcium {calcium} ({how}) x phosphate {phosphate}",
        calcium=amounts(draw.corrected, CALCIUM, facts),
        how=_how_corrected(draw, facts),
        phosphate=level(pair.phosphate, PHOSPHATE, facts),
    )
    if apart is None or apart.day == draw.when.day:
        return terms
    return Message("{terms} ({when}; calcium {drawn})", terms=terms, when=apart, drawn=draw.when)


def _how_corrected(draw: CalciumDraw, facts: Facts) -> Text:
    if draw.albumin is None:
        return draw.basis.value
    albumin = level(draw.albumin, ALBUMIN, facts)
    if draw.basis is Basis.PAYNE:
        total = amounts(draw.total_interval, CALCIUM, facts)
        return Message("corrected for albumin {albumin}, total {total}", albumin=albumin, total=total)
    return Message("albumin {albumin}, no correction", albumin=albumin)


def _correction_note(pair: Pair, facts: Facts) -> Text | None:
    dependent = any(only_through_correction(pair, item, limit(facts, item)) for item in (T1, T2))
    if dependent and not facts.feature(ionised_high):
        return Message("This depends on albumin correction: check ionised calcium.")
    return None


def _both_units(product: Interval, facts: Facts) -> Text:
    cut_offs = [limit(facts, T1), limit(facts, T2)]
    low, high = (_apart(end, cut_offs, 1) for end in product)
    # Two texts are compared by rendering them: rarely is there more than one value.
    one = product[0] == product[1] or low == high
    return Message(
        "{product} mg2/dL2 ({si} mmol2/L2)",
        product=low if one else conflicting(low, high),
        si=_apart(si_product(product[1]), [si_product(item) for item in cut_offs], 2),
    )


def trend_line(facts: Facts) -> Text | None:
    """Up to three Ca x P values of the last 12 months, oldest first."""
    found = facts.feature(trend)
    if len(found) < 2:  # noqa: PLR2004
        return None
    values = [
        Message("{value} ({when})", value=product_text(pair.product[1], facts), when=pair.when)
        for pair in reversed(found)
    ]
    return Message(
        "Ca x P trend: {values}. KDIGO 2017: judge serial calcium, phosphate and PTH together",
        values=Joined(", ", values),
    )


def pth_line(facts: Facts) -> Text:
    found = latest(facts, PTH)
    return tell_pth(found.lab) if found.lab else Message("PTH not usable: {why}", why=found.why_none)


def ionised_line(facts: Facts) -> Text:
    lab = facts.feature(ionised)
    return tell(lab, CALCIUM_IONISED) if lab else Message("ionised calcium not available")


def labs(facts: Facts) -> Text | None:
    """`Ca, P, albumin and PTH`: the analytes rule 7 found missing."""
    names = [SHORT[item.short] for item in facts.feature(missing_labs)]
    if len(names) < 2:  # noqa: PLR2004
        return names[0] if names else None
    return Message("{one} and {other}", one=Joined(", ", names[:-1]), other=names[-1])


def days(facts: Facts) -> Text:
    """The window within which nothing usable was found."""
    found = facts.feature(missing_labs)
    return Number(Decimal(min((item.analyte.ageing_days for item in found), default=CALCIUM.ageing_days)))


def missing_lines(facts: Facts) -> tuple[Text, ...]:
    """Each missing analyte with its last value and why that is not usable."""
    return tuple(item.told for item in facts.feature(missing_labs))
