"""Words for procedure orders and the drug rules of documented calciphylaxis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from cds_service.api import (
    Analyte,
    CodeGroup,
    Facts,
    FillSpec,
    Joined,
    Message,
    Number,
    Taking,
    Text,
    latest,
    tell,
)
from hooks import valuesets as vs
from hooks.analytes import ALP, ANION_GAP, BICARBONATE, CALCIUM, EGFR, SODIUM, VITAMIN_D
from hooks.case_features.bone_builder import strongest_factor
from hooks.case_features.calciphylaxis import CONFIRMED, STATUSES, SUSPECTED, calciphylaxis
from hooks.case_features.calcium import current_draw, ionised
from hooks.case_features.dosing import ceiling
from hooks.case_features.low_calcium import lower_limit
from hooks.case_features.ordered import ordered_medicine
from hooks.case_features.thiosulfate import not_available
from hooks.fills.minerals import amount, ionised_line, t4

_LONG = 600
_THINNERS = (vs.VITAMIN_K_ANTAGONISTS, vs.DOACS, vs.HEPARINS)


def biopsy_status(facts: Facts) -> Text:
    """`confirmed` or `suspected`; `possible` when only a skin finding points to the disease."""
    found = facts.feature(calciphylaxis).status
    return STATUSES[found] if found in (CONFIRMED, SUSPECTED) else Message("possible")


def dose(facts: Facts) -> Text | None:
    """Daily dose of the order: `3,600 mg`."""
    item = ordered_medicine(facts)
    if item is None or item.daily_dose is None:
        return None
    return Message("{number} {unit}", number=Number(item.daily_dose.amount, 0), unit=item.daily_dose.unit)


def dose_arithmetic(facts: Facts) -> Text | None:
    """How the daily dose was worked out: `1,200 mg x 3/day`."""
    item = ordered_medicine(facts)
    return item.daily_dose.text if item is not None and item.daily_dose is not None else None


def ceiling_of_drug(facts: Facts) -> Text | None:
    """`300 mg` for gabapentin, `75 mg` for pregabalin."""
    limit = ceiling(facts)
    return Message("{number} {unit}", number=limit.value, unit="mg") if limit else None


def ionised_calcium(facts: Facts) -> Text | None:
    lab = facts.feature(ionised)
    if lab is None or lab.exact is None:
        return lab.as_sent if lab else None
    return Message("{number} {unit}", number=Number(lab.exact, 2), unit=lab.unit)


def ionised_apart(facts: Facts) -> Text | None:
    """Ionised calcium, when the line on calcium does not print it already; or that there is none."""
    shown = facts.feature(current_draw) is not None and facts.feature(ionised) is not None
    return None if shown else ionised_line(facts)


def ionised_date(facts: Facts) -> Text | None:
    lab = facts.feature(ionised)
    return lab.when if lab else None


def calcium_lower_limit(facts: Facts) -> Text | None:
    """The laboratory's own lower limit for the current calcium: `8.6 mg/dL`."""
    draw = facts.feature(current_draw)
    bound: Decimal | None = lower_limit(draw) if draw else None
    return amount(bound, CALCIUM, facts) if bound is not None else None


def low_calcium(facts: Facts) -> Text | None:
    """Corrected calcium, with one decimal more when rounding would print it as the limit it is below."""
    draw = facts.feature(current_draw)
    if draw is None:
        return None
    text = amount(draw.corrected[1], CALCIUM, facts)
    if text not in (t4(facts), calcium_lower_limit(facts)):
        return text
    finer = replace(CALCIUM, decimals=CALCIUM.decimals + 1, si_decimals=CALCIUM.si_decimals + 1)
    return amount(draw.corrected[1], finer, facts)


def egfr(facts: Facts) -> Text | None:
    lab = latest(facts, EGFR).lab
    return None if lab is None else Number(lab.exact, 0) if lab.exact is not None else lab.as_sent


def egfr_line(facts: Facts) -> Text | None:
    lab = latest(facts, EGFR).lab
    return Message("{value} mL/min/1.73 m2 on {when}", value=egfr(facts), when=lab.when) if lab else None


def alp_line(facts: Facts) -> Text:
    found = latest(facts, ALP)
    return tell(found.lab, ALP) if found.lab else _not_available(ALP, found.why_none)


def vitamin_d_line(facts: Facts) -> Text:
    """25-hydroxyvitamin D as the laboratory sent it: it is shown, and decides nothing."""
    found = latest(facts, VITAMIN_D)
    if found.lab is None:
        return _not_available(VITAMIN_D, found.why_none)
    return tell(found.lab, VITAMIN_D, found.lab.as_sent)


def _not_available(analyte: Analyte, why: Text) -> Text:
    return Message("{analyte} not available ({why})", analyte=Message(analyte.title), why=why)


def thiosulfate_results(facts: Facts) -> Text | None:
    """Bicarbonate, anion gap and sodium of the last 7 days, those that there are."""
    labs = [(latest(facts, analyte).lab, analyte) for analyte in (BICARBONATE, ANION_GAP, SODIUM)]
    return Joined("; ", (tell(lab, analyte) for lab, analyte in labs if lab is not None)) or None


def thiosulfate_missing(facts: Facts) -> Text | None:
    return facts.feature(not_available) or None


def _taking(facts: Facts, groups: tuple[CodeGroup, ...]) -> Text | None:
    return Joined(", ", (item.title for item in Taking(groups).found(facts))) or None


def blood_thinners(facts: Facts) -> Text | None:
    """Anticoagulants on the medication list."""
    return _taking(facts, _THINNERS)


def current_vka(facts: Facts) -> Text | None:
    return _taking(facts, (vs.VITAMIN_K_ANTAGONISTS,))


def qt_medicines(facts: Facts) -> Text | None:
    """Medicines on the list that lengthen the QT interval."""
    return _taking(facts, (vs.QT_PROLONGING,))


FILLS: Mapping[str, FillSpec] = {
    "biopsy_status": FillSpec(biopsy_status, 9, "suspected"),
    "factor": FillSpec(strongest_factor, 40, "maintenance dialysis on record"),
    "dose": FillSpec(dose, 12, "3,600 mg"),
    "max": FillSpec(ceiling_of_drug, 12, "300 mg"),
    "ica": FillSpec(ionised_calcium, 12, "1.05 mmol/L"),
    "ica_date": FillSpec(ionised_date, 11, "12 Nov 2026", is_date=True),
    "low_ca": FillSpec(low_calcium, 12, "8.2 mg/dL"),
    "lln": FillSpec(calcium_lower_limit, 11, "8.6 mg/dL"),
    "egfr": FillSpec(egfr, 6, "22"),
    # Lines of the detail
    "ionised_apart": FillSpec(ionised_apart, _LONG, "ionised calcium not available"),
    "dose_arithmetic": FillSpec(dose_arithmetic, _LONG, "1,200 mg x 3/day"),
    "egfr_line": FillSpec(egfr_line, _LONG, "22 mL/min/1.73 m2 on 12 Nov 2026"),
    "alp_line": FillSpec(alp_line, _LONG, "alkaline phosphatase 140 U/L on 12 Nov 2026"),
    "vitamin_d_line": FillSpec(vitamin_d_line, _LONG, "25-hydroxyvitamin D 22 ng/mL on 12 Nov 2026"),
    "sts_results": FillSpec(thiosulfate_results, _LONG, "bicarbonate 22.0 mmol/L on 12 Nov 2026"),
    "sts_missing": FillSpec(thiosulfate_missing, _LONG, "anion gap: no result"),
    "blood_thinners": FillSpec(blood_thinners, _LONG, "warfarin"),
    "current_vka": FillSpec(current_vka, _LONG, "warfarin"),
    "qt_medicines": FillSpec(qt_medicines, _LONG, "methadone"),
}
