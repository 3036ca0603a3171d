"""Are the missing mineral labs already ordered? (ServiceRequests are optional data.)"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Facts, Finding, Joined, Message, Procedure, in_groups, met, not_met, within
from hooks import valuesets as vs
from hooks.labs_missing import SHORT, missing_labs

OPEN_DAYS = 90
_ORDERS = {
    "Ca": (vs.LAB_ORDER_CALCIUM, vs.LAB_ORDER_PANEL, vs.LAB_ORDER_PTH_PANEL),
    "P": (vs.LAB_ORDER_PHOSPHATE,),
    "albumin": (vs.LAB_ORDER_ALBUMIN, vs.LAB_ORDER_PANEL),
    "PTH": (vs.LAB_ORDER_PTH, vs.LAB_ORDER_PTH_PANEL),
}
_OPEN = frozenset({"active", "draft", "on-hold"})


@dataclass(frozen=True, slots=True)
class MineralLabsRequested:
    """Every missing lab has an active or draft order, on the list or among the orders being signed."""

    text: str = "an active or draft order for the missing labs exists"

    def evaluate(self, facts: Facts) -> Finding:
        drafts = [item for order in facts.orders if (item := order.procedure) and item.status in _OPEN]
        listed = [item for item in facts.requests or () if _open(facts, item)]
        waiting = [
            item
            for item in facts.feature(missing_labs)
            if not any(in_groups(found.sets, _ORDERS[item.short]) for found in (*drafts, *listed))
        ]
        if not waiting:
            return met(self, Message("the missing labs are already ordered"))
        if facts.requests is None:
            # The rule says "if readable": a lab that may be ordered twice is the smaller error.
            return not_met(
                self,
                Message(
                    "not known to be ordered: {labs}; earlier orders not readable",
                    labs=Joined(", ", (SHORT[item.short] for item in waiting)),
                ),
            )
        return not_met(
            self, Message("not ordered: {labs}", labs=Joined(", ", (SHORT[item.short] for item in waiting)))
        )


def _open(facts: Facts, item: Procedure) -> bool:
    recent = item.when is None or within(facts, item.when, OPEN_DAYS)
    return item.status in _OPEN and recent
