"""What is being ordered, and for which coded reason. Needs no patient data, so the answer is never unknown."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import CodeGroup, Facts, Finding, Medication, in_groups, met, not_met


def ordered_medicine(facts: Facts) -> Medication | None:
    """The drug of the order in focus; None for a procedure or when no order is in focus."""
    return facts.order.medication if facts.order else None


@dataclass(frozen=True, slots=True)
class OrderOf:
    """The order in focus is one of `groups` (drug or procedure)."""

    groups: tuple[CodeGroup, ...]

    @property
    def text(self) -> str:
        return f"the order is for {' or '.join(group.title for group in self.groups)}"

    def evaluate(self, facts: Facts) -> Finding:
        order = facts.order
        if order is not None and in_groups(order.sets, self.groups):
            return met(self.text, order.name, order.reference)
        return not_met(self.text, f"the order is for {order.name}" if order else "no order in focus")


@dataclass(frozen=True, slots=True)
class OrderedFor:
    """A coded reason of the order is in one of `groups`; a reason in words is not read."""

    groups: tuple[CodeGroup, ...]

    @property
    def text(self) -> str:
        return f"the order is coded as for {' or '.join(group.title for group in self.groups)}"

    def evaluate(self, facts: Facts) -> Finding:
        order = facts.order
        item = (order.medication or order.procedure) if order else None
        if order is not None and item is not None and in_groups(item.reasons, self.groups):
            return met(self.text, "coded reason of the order", order.reference)
        return not_met(self.text, "no such reason coded with the order")


@dataclass(frozen=True, slots=True)
class Urgent:
    """The order's priority is `stat` or `asap`; no priority is routine."""

    text: str = "the order is marked stat or asap"

    def evaluate(self, facts: Facts) -> Finding:
        procedure = facts.order.procedure if facts.order else None
        priority = (procedure.priority or "routine").strip().lower() if procedure else "routine"
        if procedure is not None and priority in ("stat", "asap"):
            return met(self.text, f"priority {priority}", procedure.source)
        return not_met(self.text, f"priority {priority}")
