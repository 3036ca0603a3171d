"""Words about calcium intake and what met the info tier of the oral-calcium rule."""

from __future__ import annotations

from cds_service.api import Answer, Facts, show
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.exposure import ManyBinders, calcium_load
from hooks.case_features.product import HIGH_PRODUCT
from hooks.case_features.pth import PthLowTwice
from hooks.fills import minerals


def binder_trigger(facts: Facts) -> str:
    """What met the info tier: the product, the calcium, the daily amount or a twice low PTH."""
    if HIGH_PRODUCT.evaluate(facts).answer is Answer.MET:
        return f"Ca x P {minerals.caxp(facts)} on {minerals.pair_date(facts)}"
    if HighCalcium().evaluate(facts).answer is Answer.MET:
        return f"corrected Ca {minerals.ca(facts)} on {minerals.ca_date(facts)}"
    if ManyBinders().evaluate(facts).answer is Answer.MET:
        return f"{show(calcium_load(facts).total, 0)} mg elemental calcium/day"
    if PthLowTwice().evaluate(facts).answer is Answer.MET:
        return f"PTH twice below 150 ({minerals.pth(facts)})"
    return ""


def elemental_lines(facts: Facts) -> tuple[str, ...]:
    """The arithmetic of elemental calcium, line by line; free-text doses are named as not computable."""
    load = calcium_load(facts)
    return (*load.lines, *(f"{name}: dose not computable" for name in load.not_computable))
