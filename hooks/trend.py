"""The trend page: calcium, phosphate, Ca x P and PTH of the last year, medicines, dialysis and calciphylaxis.

Values come from the same case features as the rules, so that the page and a card never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cds_service.api import (
    Analyte,
    Answer,
    Citation,
    CodeGroup,
    Facts,
    Lab,
    Lane,
    LaneBar,
    LeftOut,
    Medication,
    Number,
    ReferenceLine,
    Status,
    Trend,
    TrendChart,
    TrendLine,
    TrendPoint,
    When,
    describe_medication,
    in_groups,
    latest,
)
from hooks import evidence as ev
from hooks import valuesets as vs
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_CORRECTED, PHOSPHATE, PTH
from hooks.case_features.calciphylaxis import UNKNOWN, calciphylaxis
from hooks.case_features.calcium import TREND_DAYS, CalciumDraw, draws
from hooks.case_features.dialysis import dialysis
from hooks.case_features.product import PAIR_DAYS, Pair, pairs, si_product
from hooks.fills.minerals import amount, product_text, t3
from hooks.thresholds import T1, T2, T3, T4, T5, T6, T6_ABSOLUTE, T7, T7_ABSOLUTE, Limit, limit

_SI = "SI"
_LANES: tuple[tuple[str, tuple[CodeGroup, ...]], ...] = (
    ("Vitamin K antagonist", (vs.VITAMIN_K_ANTAGONISTS,)),
    ("Active vitamin D", (vs.ACTIVE_VITAMIN_D,)),
    ("Calcium", (vs.ORAL_CALCIUM, vs.CALCIUM_PARENTERAL)),
    ("Phosphate binder without calcium", (vs.NON_CALCIUM_BINDERS,)),
    ("Calcimimetic", (vs.CALCIMIMETICS,)),
    ("Intravenous iron", (vs.INTRAVENOUS_IRON,)),
    ("Sodium thiosulfate", (vs.SODIUM_THIOSULFATE,)),
)


def trend(facts: Facts) -> Trend:
    """The trend page of one patient, in the unit system of `facts.units`."""
    return Trend(
        days=TREND_DAYS,
        statuses=(_dialysis(facts), _calciphylaxis(facts)),
        charts=(_calcium(facts), _phosphate(facts), _product(facts), _pth(facts)),
        lanes=tuple(_lane(facts, title, groups) for title, groups in _LANES),
        notes=_notes(facts),
    )


def _dialysis(facts: Facts) -> Status:
    found = facts.feature(dialysis)
    if found.answer is Answer.UNKNOWN:
        return Status("Dialysis", f"unclear: {found.because}", found.sources, unknown=True)
    if found.answer is Answer.NOT_MET:
        return Status("Dialysis", f"no maintenance dialysis: {found.because}", found.sources)
    since = f"; earliest evidence {found.since}" if found.since else ""
    modality = {"HD": "haemodialysis", "PD": "peritoneal dialysis"}.get(found.modality or "", "")
    form = f"; {modality or 'modality not recorded'}"
    return Status("Dialysis", f"{found.certainty}: {found.because}{form}{since}", found.sources)


def _calciphylaxis(facts: Facts) -> Status:
    found = facts.feature(calciphylaxis)
    sources = (found.problem.source,) if found.problem else ()
    return Status("Calciphylaxis", str(found.because), sources, unknown=found.status == UNKNOWN)


def _calcium(facts: Facts) -> TrendChart:
    by_time = {draw.when: draw for draw in draws(facts)}
    total = [
        _point(facts, lab, CALCIUM, when, _basis(by_time.get(when))) for lab, when in _drawn(facts, CALCIUM)
    ]
    corrected = [_corrected(facts, draw) for draw in by_time.values() if draw.certain]
    return TrendChart(
        "calcium",
        "Calcium",
        _unit(facts, CALCIUM),
        _decimals(facts, CALCIUM),
        (_line("Total", total), _line("Corrected for albumin", corrected)),
        (
            _reference(facts, T3, CALCIUM, "high", ev.E20),
            _reference(facts, T4, CALCIUM, "low", ev.E20),
        ),
        CALCIUM.ageing_days,
        _left_out(facts, CALCIUM, CALCIUM_CORRECTED, ALBUMIN),
        _unreadable(facts, CALCIUM),
        "Corrected = total + 0.8 x (4.0 - albumin in g/dL), or as the laboratory reported it. The correction is "
        "poorly validated in haemodialysis.",
    )


def _phosphate(facts: Facts) -> TrendChart:
    return TrendChart(
        "phosphate",
        "Phosphate",
        _unit(facts, PHOSPHATE),
        _decimals(facts, PHOSPHATE),
        (
            _line(
                "Phosphate", [_point(facts, lab, PHOSPHATE, when) for lab, when in _drawn(facts, PHOSPHATE)]
            ),
        ),
        (_reference(facts, T5, PHOSPHATE, "high", ev.E20),),
        PHOSPHATE.ageing_days,
        _left_out(facts, PHOSPHATE),
        _unreadable(facts, PHOSPHATE),
    )


def _product(facts: Facts) -> TrendChart:
    return TrendChart(
        "product",
        "Ca x P",
        "mmol2/L2" if facts.units == _SI else "mg2/dL2",
        2 if facts.units == _SI else 1,
        (_line("Ca x P", [_paired(facts, pair) for pair in _one_each(pairs(facts))]),),
        (_product_reference(facts, T1, "goal below", ev.E20), _product_reference(facts, T2, "above", ev.E7)),
        CALCIUM.ageing_days,
        unreadable=_unreadable(facts, CALCIUM),
        note=f"Calcium (corrected where it can be) times phosphate of the same draw, at most {PAIR_DAYS} days apart. "
        "A value below the goal does not exclude calciphylaxis.",
    )


def _pth(facts: Facts) -> TrendChart:
    return TrendChart(
        "pth",
        "PTH",
        _unit(facts, PTH),
        _decimals(facts, PTH),
        (_line("PTH", [_point(facts, lab, PTH, when, _multiple(lab)) for lab, when in _drawn(facts, PTH)]),),
        (_pth_reference(facts, T6, T6_ABSOLUTE), _pth_reference(facts, T7, T7_ABSOLUTE)),
        PTH.ageing_days,
        _left_out(facts, PTH),
        _unreadable(facts, PTH),
        "Assays differ: compare a value with the upper limit of normal (ULN) of its own laboratory.",
    )


def _in_window(facts: Facts, lab: Lab) -> bool:
    return lab.when is not None and facts.age_days(lab.when) <= TREND_DAYS


def _drawn(facts: Facts, analyte: Analyte) -> list[tuple[Lab, When]]:
    """Usable results of the window; an undated one always has a problem."""
    return [
        (lab, lab.when)
        for lab in facts.results(analyte) or ()
        if lab.problem is None and lab.excluded is None and lab.when and _in_window(facts, lab)
    ]


def _left_out(facts: Facts, *analytes: Analyte) -> tuple[LeftOut, ...]:
    """Results of the window that no line can show; undated ones may belong to it, so they count as well."""
    return tuple(
        LeftOut(analyte.title, lab.when, str(lab.as_sent), str(lab.excluded or lab.problem or ""), lab.source)
        for analyte in analytes
        for lab in facts.results(analyte) or ()
        if (lab.problem or lab.excluded) and (lab.when is None or _in_window(facts, lab))
    )


def _unreadable(facts: Facts, analyte: Analyte) -> str | None:
    if facts.results(analyte) is None:
        return f"Laboratory results could not be read: {facts.failures.get(analyte.source, 'not read')}."
    if analyte.source in facts.incomplete:
        return "Laboratory results were received only in part: values may be missing."
    return None


def _line(label: str, points: Iterable[TrendPoint]) -> TrendLine:
    return TrendLine(label, tuple(sorted(points, key=lambda point: point.when.instant)))


def _factor(facts: Facts, analyte: Analyte) -> Decimal:
    """Canonical units in one shown unit."""
    return analyte.factors[_unit(facts, analyte)]


def _unit(facts: Facts, analyte: Analyte) -> str:
    return analyte.si_unit if facts.units == _SI and analyte.si_unit else analyte.unit


def _decimals(facts: Facts, analyte: Analyte) -> int:
    return analyte.si_decimals if facts.units == _SI else analyte.decimals


def _point(facts: Facts, lab: Lab, analyte: Analyte, when: When, note: str = "") -> TrendPoint:
    factor = _factor(facts, analyte)
    text = str(lab.as_sent if lab.exact is None else amount(lab.exact, analyte, facts))
    return TrendPoint(
        when,
        None if lab.low is None else lab.low / factor,
        None if lab.high is None else lab.high / factor,
        _marked(text, preliminary=lab.preliminary),
        _joined((note, "date of report" if lab.when_is == "reported" else "")),
        lab.preliminary,
        (lab.source,),
    )


def _marked(text: str, *, preliminary: bool) -> str:
    return f"{text} (preliminary)" if preliminary else text


def _joined(notes: Iterable[str]) -> str:
    return "; ".join(note for note in notes if note)


def _basis(draw: CalciumDraw | None) -> str:
    """Why a total stands without a corrected value."""
    return "" if draw is None or draw.certain else str(draw.basis.value)


def _multiple(lab: Lab) -> str:
    if lab.exact is None or not lab.reference_high:
        return ""
    return f"{Number(lab.exact / lab.reference_high, 1)} x ULN"


def _corrected(facts: Facts, draw: CalciumDraw) -> TrendPoint:
    factor = _factor(facts, CALCIUM)
    low, high = draw.corrected
    return TrendPoint(
        draw.when,
        low / factor,
        high / factor,
        _marked(
            _range(str(amount(low, CALCIUM, facts)), str(amount(high, CALCIUM, facts))),
            preliminary=draw.preliminary,
        ),
        _used(draw),
        draw.preliminary,
        draw.sources,
    )


def _used(draw: CalciumDraw) -> str:
    """Where the corrected value comes from: the albumin, with its date when that is another."""
    if draw.albumin is None:
        return str(draw.basis.value)
    of = "" if draw.albumin.when == draw.when else f" of {draw.albumin.when}"
    return f"albumin {draw.albumin.as_sent}{of}"


def _one_each(found: Iterable[Pair]) -> Iterable[Pair]:
    """One final and one preliminary pair for each time: the first, which the rules prefer as well."""
    chosen: dict[tuple[When, bool], Pair] = {}
    for pair in found:
        chosen.setdefault((pair.when, pair.preliminary), pair)
    return chosen.values()


def _paired(facts: Facts, pair: Pair) -> TrendPoint:
    apart = pair.phosphate.when != pair.calcium.when
    low, high = pair.product
    si = facts.units == _SI
    notes = (
        f"calcium of {pair.calcium.when}, phosphate of {pair.phosphate.when}" if apart else "",
        str(pair.calcium.basis.value),
    )
    return TrendPoint(
        pair.when,
        si_product(low) if si else low,
        si_product(high) if si else high,
        _marked(
            _range(str(product_text(low, facts)), str(product_text(high, facts))),
            preliminary=pair.preliminary,
        ),
        _joined(notes),
        pair.preliminary,
        pair.sources,
    )


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high} (conflicting results)"


def _in_force(facts: Facts, item: Limit) -> str:
    """The source of a threshold, and that the site has set its own value where it has."""
    if limit(facts, item) == item.value:
        return item.source
    return f"set by this site; {item.source}: {item.value} {item.unit}"


def _reference(facts: Facts, item: Limit, analyte: Analyte, name: str, citation: Citation) -> ReferenceLine:
    value = limit(facts, item)
    text = t3(facts) if item is T3 else amount(value, analyte, facts)
    return ReferenceLine(
        value / _factor(facts, analyte),
        f"{name}: {item.sign} {text}",
        f"{name.capitalize()} {item.sign} {text} ({_in_force(facts, item)})",
        item.id,
        citation,
    )


def _product_reference(facts: Facts, item: Limit, sign: str, citation: Citation) -> ReferenceLine:
    value = limit(facts, item)
    text = product_text(value, facts)
    return ReferenceLine(
        si_product(value) if facts.units == _SI else value,
        f"{sign} {text}",
        f"{sign.capitalize()} {text} ({_in_force(facts, item)})",
        item.id,
        citation,
    )


def _pth_reference(facts: Facts, multiple: Limit, absolute: Limit) -> ReferenceLine:
    """Multiples of the upper limit of the latest result, else the absolute figure."""
    newest = latest(facts, PTH).last
    upper = newest.reference_high if newest else None
    if upper:
        value, text, source = multiple.value * upper, f"{multiple.value} x ULN", multiple.source
        citation: Citation | None = ev.E22
    else:
        value, text, source = absolute.value, "", absolute.source
        citation = None
    shown = amount(value, PTH, facts)
    words = f"{text} = {shown}" if text else shown
    return ReferenceLine(
        value / _factor(facts, PTH),
        f"{multiple.sign} {text or shown}",
        f"{multiple.sign.capitalize()} {words} ({source})",
        multiple.id,
        citation,
    )


def _lane(facts: Facts, title: str, groups: tuple[CodeGroup, ...]) -> Lane:
    if facts.medications is None:
        return Lane(title, None)
    found = [item for item in facts.medications if in_groups(item.sets, groups)]
    return Lane(title, tuple(_bar(item) for item in found))


def _bar(item: Medication) -> LaneBar:
    # `ended` is known for ended ones only; theirs is more telling than their beginning.
    text = f"{item.name}, ended {item.ended}" if item.ended else str(describe_medication(item))
    return LaneBar(item.name, item.started, item.ended, item.state, text, item.source)


def _notes(facts: Facts) -> tuple[str, ...]:
    """What the reader must not take the lanes for."""
    notes = []
    if facts.medications is None:
        reason = facts.failures.get("medications", "not read")
        notes.append(f"The medication list could not be read ({reason}): empty lanes mean nothing.")
    elif "medications" in facts.incomplete:
        notes.append("The medication list was received only in part: medicines may be missing.")
    unknown = sum(item.basis == "none" for item in facts.medications or ())
    if unknown:
        notes.append(
            f"{unknown} listed medicine{'s were' if unknown > 1 else ' was'} not recognised and may belong to a lane."
        )
    return tuple(notes)
