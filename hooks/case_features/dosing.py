"""Daily dose of a gabapentinoid against its usual ceiling on dialysis (T12, T13; rule 15)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Facts, Finding, Message, Number, above, in_groups, met, not_met
from hooks import valuesets as vs
from hooks.case_features.ordered import ordered_medicine
from hooks.thresholds import T12, T13, Limit


def ceiling(facts: Facts) -> Limit | None:
    """The usual ceiling of the ordered drug, in mg a day; None when it has none here."""
    item = ordered_medicine(facts)
    if item is None:
        return None
    for value_set, limit in ((vs.GABAPENTIN, T12), (vs.PREGABALIN, T13)):
        if in_groups(item.sets, (value_set,)):
            return limit
    return None


@dataclass(frozen=True, slots=True)
class DoseAboveCeiling:
    """The daily dose can be worked out and is above the ceiling."""

    text: str = f"daily dose above {T12.value} mg gabapentin or {T13.value} mg pregabalin"

    def evaluate(self, facts: Facts) -> Finding:
        item, limit = ordered_medicine(facts), ceiling(facts)
        if item is None or limit is None:
            return not_met(self, Message("not a gabapentinoid"))
        if item.daily_dose is None:
            return not_met(self, Message("daily dose not computable"), item.source)
        dose = item.daily_dose
        because = Message(
            "{dose} = {amount} {unit} a day", dose=dose.text, amount=Number(dose.amount, 0), unit=dose.unit
        )
        answer = met if above(dose.amount, limit.value) else not_met
        return answer(self, because, item.source)


@dataclass(frozen=True, slots=True)
class DoseNotComputable:
    """The dosage is free text, or in a unit that cannot be turned into mg a day."""

    text: str = "the daily dose cannot be worked out from the order"

    def evaluate(self, facts: Facts) -> Finding:
        item = ordered_medicine(facts)
        if item is not None and item.daily_dose is None:
            return met(
                self, Message("dosage in words only, or in a unit that is not understood"), item.source
            )
        return not_met(self, Message("the daily dose can be worked out"))
