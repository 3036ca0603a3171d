"""The value of a result in the canonical unit of its analyte, or why there is none."""

from __future__ import annotations

from decimal import Decimal

from cds_service.facts.model import Sent
from cds_service.facts.record import Record
from cds_service.facts.units import UCUM, Analyte, is_amount
from cds_service.fhir.decode import Quantity, ReferenceRange
from cds_service.localise.text import Message, Text

NO_VALUE = Message("no value (reason given)")
_NOTHING_SENT = Message("no value")
_IMPLAUSIBLE = Message("implausible value ignored")


def amount(
    analyte: Analyte,
    quantity: Quantity | None,
    absent: bool,
) -> tuple[Decimal | None, Decimal | None, Text | None]:
    """Interval in the canonical unit, or the reason why there is none."""
    value = quantity.value if quantity is not None else None
    if quantity is None or value is None:
        return None, None, NO_VALUE if absent else Message("no numeric value")
    if not value.is_finite():
        return None, None, Message("not a number")
    unit = quantity.code
    if unit not in analyte.factors or quantity.system != UCUM or quantity.unit not in (unit, None):
        # Spelled in another way than most are.
        unit, problem = _unit(analyte, quantity)
        if problem is not None:
            return None, None, problem
    if unit is None or not is_amount(value):
        return None, None, _IMPLAUSIBLE
    value = analyte.to_canonical(value, unit)
    least, most = analyte.plausible
    if not least <= value <= most:
        return None, None, _IMPLAUSIBLE
    comparator = quantity.comparator
    if not comparator or not (comparator := comparator.strip()):
        return value, value, None
    match comparator:
        case "<" | "<=":
            return None, value, None
        case ">" | ">=":
            return value, None, None
        case _:
            return None, None, Message("comparator not understood")


def _unit(analyte: Analyte, quantity: Quantity) -> tuple[str | None, Text | None]:
    """UCUM code of the result and, when there is none, the reason."""
    code = quantity.code
    coded = analyte.ucum(code) if quantity.system in (UCUM, None) else None
    spelled = analyte.ucum(quantity.unit)
    if coded and spelled and analyte.factors.get(coded) != analyte.factors.get(spelled):
        return None, Message("unit and unit code disagree")
    unit = coded if code and quantity.system == UCUM else coded or spelled
    if unit in analyte.factors:
        return unit, None
    if quantity.unit or code:
        return None, Message("unit not known for this analyte")
    return None, Message("unit missing")


class Normal(Record, frozen=True, gc=False):
    """Normal range in the canonical unit; a range without a unit is in the unit of the value."""

    analyte: Analyte
    quantity: Quantity | None
    ranges: list[ReferenceRange]

    @property
    def low(self) -> Decimal | None:
        return self._ends()[0]

    @property
    def high(self) -> Decimal | None:
        return self._ends()[1]

    def _ends(self) -> tuple[Decimal | None, Decimal | None]:
        for candidate in self.ranges:
            kind = [str(coding.code) for coding in candidate.type.coding] if candidate.type else []
            if kind and "normal" not in kind:
                continue
            low = _bound(self.analyte, self.quantity, candidate.low)
            high = _bound(self.analyte, self.quantity, candidate.high)
            if low is not None or high is not None:
                return low, high
        return None, None


def _bound(analyte: Analyte, quantity: Quantity | None, bound: Quantity | None) -> Decimal | None:
    if bound is None or not is_amount(bound.value):
        return None
    named = bound if bound.unit or bound.code else quantity
    unit = _unit(analyte, named)[0] if named is not None else None
    return analyte.to_canonical(bound.value, unit) if unit is not None else None


def as_sent(quantity: Quantity | None) -> Text:
    """The quantity in the words of the laboratory."""
    if quantity is None or quantity.value is None:
        return _NOTHING_SENT
    return Sent(quantity.value, quantity.comparator, quantity.unit or quantity.code)
