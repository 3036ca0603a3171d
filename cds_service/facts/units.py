"""Analytes, their units and their conversion to one canonical unit.

A unit is taken from the UCUM code, else from an exact listed spelling; it is never guessed from the
magnitude of the value (a guessed unit can hide a dangerous value).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeGuard

from cds_service.localise.language import SI, Language
from cds_service.localise.text import Text

UCUM = "http://unitsofmeasure.org"
TOLERANCE = Decimal("1e-9")
"""Values this close to a threshold count as equal to it: a converted value cannot miss equality by rounding."""
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Analyte:
    """A laboratory quantity or vital sign that rules read."""

    id: str
    title: str
    """As printed on a card: `calcium`, `phosphate`."""
    value_sets: tuple[str, ...]
    """Ids of the value sets whose LOINC codes mean this analyte."""
    unit: str
    """Canonical unit; every threshold is kept in it."""
    factors: Mapping[str, Decimal]
    """UCUM code -> number of canonical units in one of it (`mmol/L`: 4.0078 for calcium in mg/dL)."""
    plausible: tuple[Decimal, Decimal]
    """Inclusive bounds in the canonical unit; outside them a value is unusable, not reinterpreted."""
    current_days: int
    ageing_days: int
    """Up to `current_days` a value is current, up to `ageing_days` usable with its date, then stale."""
    decimals: int = 1
    si_unit: str | None = None
    si_decimals: int = 2
    source: str = "labs"
    """Prefetch key the results come from."""
    excluding_words: Mapping[str, str] = field(default_factory=dict)
    """Lower-case words in a result's name or note -> why such a result is left out."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Exact unit strings, beyond the UCUM codes themselves, that may be read as a UCUM code."""

    def ucum(self, unit: str | None) -> str | None:
        """UCUM code meant by `unit`, or None when it is not a listed one; it may be a unit of other analytes."""
        if unit is None:
            return None
        if unit in self.factors:
            return unit
        return self.spellings.get(unit) or _COMMON_SPELLINGS.get(unit.strip().lower())

    def in_si(self, value: Decimal) -> tuple[Decimal, str, int] | None:
        """A canonical value in the SI unit, with that unit and its decimals; None when it has no other unit."""
        if self.si_unit is None or self.si_unit not in self.factors:
            return None
        return value / self.factors[self.si_unit], self.si_unit, self.si_decimals

    def to_canonical(self, value: Decimal, unit: str) -> Decimal:
        """`value` in the canonical unit, exact; `unit` is one of `factors`."""
        return value * self.factors[unit]


_COMMON_SPELLINGS: Mapping[str, str] = {
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "gm/dl": "g/dL",
    "g/l": "g/L",
    "mg/l": "mg/L",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "meq/l": "meq/L",
    "pg/ml": "pg/mL",
    "ng/l": "ng/L",
    "pmol/l": "pmol/L",
    "ng/ml": "ng/mL",
    "nmol/l": "nmol/L",
    "u/l": "U/L",
    "iu/l": "[IU]/L",
    "[iu]/l": "[IU]/L",
    "kg": "kg",
    "cm": "cm",
    "m": "m",
    "[lb_av]": "[lb_av]",
    "lb": "[lb_av]",
    "[in_i]": "[in_i]",
    "kg/m2": "kg/m2",
    "kg/m^2": "kg/m2",
    "ms": "ms",
}
"""Spellings that differ from the UCUM code only in letter case or layout; none of them is ambiguous."""


def is_amount(value: Decimal | None) -> TypeGuard[Decimal]:
    """A number that occurs in a record: finite, and of a size with which arithmetic cannot overflow."""
    return value is not None and value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS


def at_least(value: Decimal, threshold: Decimal) -> bool:
    """`value >= threshold`; equality (within the tolerance) counts."""
    return value >= threshold - TOLERANCE


def above(value: Decimal, threshold: Decimal) -> bool:
    """`value > threshold`; equality (within the tolerance) does not count."""
    return value > threshold + TOLERANCE


def below(value: Decimal, threshold: Decimal) -> bool:
    """`value < threshold`; equality (within the tolerance) does not count."""
    return value < threshold - TOLERANCE


def show(value: Decimal, decimals: int) -> str:
    """`value` rounded half up for print only; comparisons always use the unrounded value."""
    return f"{rounded(value, decimals):,f}"


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` rounded half up."""
    return value.quantize(_STEPS[decimals], rounding=ROUND_HALF_UP)


_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(10))


class Number(Text):
    """A number for print, rounded half up to `decimals`; without them exactly as it is."""

    __slots__ = ("decimals", "value")

    def __init__(self, value: Decimal, decimals: int | None = None) -> None:
        self.value = value
        self.decimals = decimals

    def render(self, language: Language) -> str:
        shown = self.value.normalize() if self.decimals is None else rounded(self.value, self.decimals)
        return language.number(f"{shown:,f}")


class Amount(Text):
    """A value in the canonical unit of its analyte, printed in the unit system of the reader."""

    __slots__ = ("analyte", "value")

    def __init__(self, value: Decimal, analyte: Analyte) -> None:
        self.value = value
        self.analyte = analyte

    def render(self, language: Language) -> str:
        value, unit, decimals = self.value, self.analyte.unit, self.analyte.decimals
        if language.units == SI and (in_si := self.analyte.in_si(value)) is not None:
            value, unit, decimals = in_si
        return f"{language.number(show(value, decimals))} {unit}"
