"""Words about calcium intake and what met the info tier of the oral-calcium rule."""

from __future__ import annotations

from cds_service.api import Answer, Facts, Message, Text
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.exposure import ManyBinders, calcium_load, elemental_total
from hooks.case_features.product import HIGH_PRODUCT
from hooks.case_features.pth import PthLowTwice
from hooks.fills import minerals


def binder_trigger(facts: Facts) -> Text | None:
    """What met the info tier: the product, the calcium, the daily amount or a twice low PTH."""
    if HIGH_PRODUCT.evaluate(facts).answer is Answer.MET:
        return Message("Ca x P {value} on {when}", value=minerals.caxp(facts), when=minerals.pair_date(facts))
    if HighCalcium().evaluate(facts).answer is Answer.MET:
        return Message(
            "corrected Ca {value} on {when}", value=minerals.ca(facts), when=minerals.ca_date(facts)
        )
    if ManyBinders().evaluate(facts).answer is Answer.MET:
        return elemental_total(calcium_load(facts))
    if PthLowTwice().evaluate(facts).answer is Answer.MET:
        return Message("PTH twice below 150 ({value})", value=minerals.pth(facts))
    return None


def elemental_lines(facts: Facts) -> tuple[Text, ...]:
    """The arithmetic of elemental calcium, line by line; free-text doses are named as not computable."""
    return calcium_load(facts).told
