"""Structured dosage to route, daily amount and length of course. Free text is not interpreted for doses."""

from __future__ import annotations

import re
from datetime import tzinfo
from decimal import Decimal
from math import ceil

from cds_service.facts.dates import parse_when
from cds_service.facts.later import DailyDose
from cds_service.facts.units import Number, is_amount, rounded
from cds_service.fhir.decode import Dosage, Quantity, Resource, Timing, TimingRepeat
from cds_service.localise.text import Joined, Message, Text

# SNOMED CT route codes: from memory, check digits verified; words decide as well.
_ROUTE_CODES = {
    "26643006": "oral",
    "47625008": "iv",
    "34206005": "sc",
    "78421000": "im",
    "6064005": "topical",
    "372464004": "intradermal",
}
_ROUTE_WORDS = {
    "oral": "oral",
    "orally": "oral",
    "mouth": "oral",
    "po": "oral",
    "intravenous": "iv",
    "intravenously": "iv",
    "iv": "iv",
    "subcutaneous": "sc",
    "subcutaneously": "sc",
    "subcut": "sc",
    "subq": "sc",
    "sc": "sc",
    "sq": "sc",
    "intramuscular": "im",
    "im": "im",
    "topical": "topical",
    "topically": "topical",
    "cutaneous": "topical",
    "external": "topical",
    "ophthalmic": "topical",
    "nasal": "topical",
    "inhalation": "topical",
    "inhaled": "topical",
    "otic": "topical",
    "rectal": "topical",
    "vaginal": "topical",
    "intralesional": "intralesional",
    "intraperitoneal": "intraperitoneal",
    "intradialytic": "iv",
    "hemodialysis": "iv",
    "haemodialysis": "iv",
}
_WORD = re.compile(r"[a-z]+")
_APART = re.compile(r"\b(sub|intra)[ -](?=[a-z])")
_PER_DAY = {"s": 86400, "min": 1440, "h": 24, "d": 1}
_DAYS = {
    "d": Decimal(1),
    "wk": Decimal(7),
    "mo": Decimal(30),
    "a": Decimal(365),
    "h": Decimal(1) / 24,
    "min": Decimal(1) / 1440,
}
_DAY_WORDS = {"day": "d", "days": "d", "week": "wk", "weeks": "wk", "month": "mo", "months": "mo"}
# HL7 timing abbreviations (v3 GTSAbbreviation) -> doses a day.
_TIMING_CODES = {
    "QD": Decimal(1),
    "DAILY": Decimal(1),
    "AM": Decimal(1),
    "PM": Decimal(1),
    "BED": Decimal(1),
    "HS": Decimal(1),
    "BID": Decimal(2),
    "TID": Decimal(3),
    "QID": Decimal(4),
    "QOD": Decimal("0.5"),
    "WK": Decimal(1) / 7,
    "Q1H": Decimal(24),
    "Q2H": Decimal(12),
    "Q3H": Decimal(8),
    "Q4H": Decimal(6),
    "Q6H": Decimal(4),
    "Q8H": Decimal(3),
    "Q12H": Decimal(2),
}
_ONCE_CODES = frozenset({"ONCE", "STAT"})
_MASS = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "mcg": Decimal("0.001")}
_COUNTED = frozenset({"{tbl}", "{tablet}", "{capsule}", "{cap}", "1", "tablet", "tablets", "capsule"})
_COUNTED |= {"capsules", "tab", "tabs", "cap", "caps", "tbl", "{tbl}", "unit", "each"}
_STRENGTH = re.compile(r"(\d+(?:\.\d+)?) (MG|MCG)\b(?!/)")


def dosages(resource: Resource) -> list[Dosage]:
    """Dosage instructions, whether sent as a list or (illegally) as one object."""
    value = resource.dosageInstruction
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def route(resource: Resource) -> str | None:
    """Route of the first instruction that gives one; None when none does."""
    for dosage in dosages(resource):
        if dosage.route is None:
            continue
        for coding in dosage.route.coding:
            if str(coding.code) in _ROUTE_CODES:
                return _ROUTE_CODES[str(coding.code)]
        words = [dosage.route.text or ""]
        words += [f"{coding.display or ''} {coding.code or ''}" for coding in dosage.route.coding]
        for word in _WORD.findall(_APART.sub(r"\1", " ".join(words).lower())):
            if word in _ROUTE_WORDS:
                return _ROUTE_WORDS[word]
        return "other"
    return None


def daily_dose(resource: Resource, product: str | None) -> DailyDose | None:
    """Amount a day in mg; None unless every instruction is structured and its unit is understood.

    Tablets are counted with the strength in `product`, a name from our own code lists, and only when the
    product holds one strength (a combination would need the ingredient that is meant).
    """
    steps: dict[int | None, list[tuple[Decimal, Text]]] = {}
    for dosage in dosages(resource):
        times = _times_a_day(dosage.timing)
        amount = _milligrams(_dose(dosage), product)
        if times is None or amount is None:
            return None
        text = Message("{dose} x {times}/day", dose=amount[1], times=Number(rounded(times, 2)))
        steps.setdefault(dosage.sequence, []).append((amount[0] * times, text))
    if not steps:
        return None
    # Instructions of one sequence number go together; the numbers follow one another: the highest step counts.
    highest = max(steps.values(), key=lambda step: sum(amount for amount, _ in step))
    return DailyDose(
        sum((amount for amount, _ in highest), Decimal(0)), "mg", Joined(" + ", (text for _, text in highest))
    )


def dose_given(resource: Resource) -> bool:
    """Some instruction carries a structured dose."""
    return any(_dose(dosage) is not None for dosage in dosages(resource))


def _dose(dosage: Dosage) -> Quantity | None:
    rates = dosage.doseAndRate
    if rates is None:
        return dosage.doseQuantity
    for rate in rates if isinstance(rates, list) else [rates]:
        if rate.doseQuantity is not None:
            return rate.doseQuantity
        if rate.doseRange is not None:
            return rate.doseRange.high
    return None


def _milligrams(dose: Quantity | None, product: str | None) -> tuple[Decimal, Text] | None:
    if dose is None or not is_amount(dose.value) or dose.value < 0:
        return None
    for unit in (dose.code, dose.unit):
        if unit is not None and unit.lower() in _MASS:
            amount = dose.value * _MASS[unit.lower()]
            return amount, Message("{amount} mg", amount=Number(amount))
    if any(unit is not None and unit.lower() in _COUNTED for unit in (dose.code, dose.unit)):
        strength = strength_mg(product)
        if strength is not None:
            return dose.value * strength, Message(
                "{count} x {amount} mg", count=Number(dose.value), amount=Number(strength)
            )
    return None


def strength_mg(product: str | None) -> Decimal | None:
    """Strength per unit in mg from an RxNorm-style product name, when it names exactly one."""
    found = _STRENGTH.findall(product or "")
    if len(found) != 1:
        return None
    value, unit = found[0]
    return Decimal(value) * (_MASS["mcg"] if unit == "MCG" else 1)


def _times_a_day(timing: Timing | None) -> Decimal | None:
    if timing is None:
        return None
    if timing.code is not None:
        codes = [str(coding.code).upper() for coding in timing.code.coding]
        codes.append((timing.code.text or "").strip().upper())
        for code in codes:
            if code in _TIMING_CODES:
                return _TIMING_CODES[code]
    repeat = timing.repeat
    if repeat is None:
        return None
    days = Decimal(len(repeat.dayOfWeek or ()))
    frequency = repeat.frequencyMax or repeat.frequency or (Decimal(1) if days else None)
    period, unit = repeat.period, repeat.periodUnit
    if days and unit is None:
        period, unit = Decimal(1), "d"
    if not is_amount(frequency) or frequency < 0 or not is_amount(period) or period <= 0:
        return None
    moments = repeat.timeOfDay or (repeat.when if isinstance(repeat.when, list) else [])
    if len(moments) > max(frequency, Decimal(1)):
        # "With breakfast, lunch and dinner" beside a frequency of one: how often is not said beyond doubt.
        return None
    if unit in _PER_DAY:
        return frequency * _PER_DAY[unit] / period * (days / 7 if days else 1)
    # "Three times a week" and "Monday, Wednesday, Friday" say the same thing: the days are not counted again.
    return max(frequency, days) / (period * _DAYS[unit]) if unit in _DAYS else None


def as_needed(resource: Resource) -> bool:
    return any(
        bool(dosage.asNeededBoolean or dosage.asNeeded) or dosage.asNeededCodeableConcept is not None
        for dosage in dosages(resource)
    )


def single_dose(resource: Resource) -> bool:
    """The order is for one dose: a count of 1, or the timing code for `once` or `stat`."""
    instructions = dosages(resource)
    return bool(instructions) and all(_once(dosage.timing) for dosage in instructions)


def _once(timing: Timing | None) -> bool:
    if timing is None:
        return False
    if timing.code is not None and any(str(c.code).upper() in _ONCE_CODES for c in timing.code.coding):
        return True
    return timing.repeat is not None and timing.repeat.count == 1


def course_days(resource: Resource, zone: tzinfo) -> int | None:
    """Planned length in days, a started day counted whole: bounds of the timing, else the supply with its repeats."""
    for dosage in dosages(resource):
        repeat = dosage.timing.repeat if dosage.timing else None
        if repeat is not None and (days := _bounds_days(repeat, zone)) is not None:
            return days
    dispense = resource.dispenseRequest
    if dispense is None:
        return None
    supply = _duration_days(dispense.expectedSupplyDuration)
    return None if supply is None else ceil(supply * (1 + (dispense.numberOfRepeatsAllowed or 0)))


def _bounds_days(repeat: TimingRepeat, zone: tzinfo) -> int | None:
    if (days := _duration_days(repeat.boundsDuration)) is not None:
        return ceil(days)
    if repeat.boundsPeriod is None:
        return None
    start = parse_when(repeat.boundsPeriod.start, zone)
    end = parse_when(repeat.boundsPeriod.end, zone)
    return None if start is None or end is None else (end.day - start.day).days


def _duration_days(duration: Quantity | None) -> Decimal | None:
    if duration is None or not is_amount(duration.value):
        return None
    for unit in (duration.code, duration.unit):
        key = _DAY_WORDS.get((unit or "").lower(), unit)
        if key in _DAYS:
            return duration.value * _DAYS[key]
    return None


_TAPER_TO_STOP = ("taper to stop", "taper off", "tapering to stop", "tapering off", "wean off", "weaning off")


def tapers_to_stop(resource: Resource) -> bool:
    """The instruction says in words that the drug is being brought to an end.

    Only phrases that cannot describe a start are listed: "then stop" may end a new three-month course.
    """
    texts = [dosage.text or "" for dosage in dosages(resource)]
    texts += [dosage.patientInstruction or "" for dosage in dosages(resource)]
    text = " ".join(texts).lower()[:10_000]
    return any(phrase in text for phrase in _TAPER_TO_STOP)
