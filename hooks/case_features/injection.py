"""Is the ordered drug injected under the skin? (rule 12)"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Facts, Finding, Message, in_groups, met, not_met, unknown
from hooks import valuesets as vs
from hooks.case_features.ordered import ordered_medicine

_ONLY_UNDER_THE_SKIN = (
    vs.TERIPARATIDE,
    vs.PALOPEGTERIPARATIDE,
    vs.ABALOPARATIDE,
    vs.DENOSUMAB,
    vs.ROMOSOZUMAB,
)


@dataclass(frozen=True, slots=True)
class UnderTheSkin:
    """The route is subcutaneous, or the product has no other route.

    Insulin, heparins, erythropoiesis-stimulating agents and calcitonin can also be given into a vein, into a
    muscle or into the dialysis circuit: without a route their answer is UNKNOWN.
    """

    text: str = "given under the skin"

    def evaluate(self, facts: Facts) -> Finding:
        item = ordered_medicine(facts)
        if item is None:
            return not_met(self, Message("not an order for a medicine"))
        if item.route == "sc":
            return met(self, Message("route subcutaneous"), item.source)
        if item.route is not None:
            return not_met(self, Message("route {route}", route=item.route), item.source)
        if in_groups(item.sets, _ONLY_UNDER_THE_SKIN):
            return met(self, Message("{drug} is only given under the skin", drug=item.title), item.source)
        because = Message(
            "route of {drug} not given: it can be given under the skin or otherwise", drug=item.title
        )
        return unknown(self, because, item.source)
