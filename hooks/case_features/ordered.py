"""What is being ordered, and for which coded reason. Needs no patient data, so the answer is never unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.api import CodeGroup, Facts, Finding, Joined, Medication, Message, in_groups, met, not_met


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
            return met(self, order.title, order.reference)
        because = (
            Message("the order is for {order}", order=order.title) if order else Message("no order in focus")
        )
        return not_met(self, because)


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
            return met(self, Message("coded reason of the order"), order.reference)
        return not_met(self, Message("no such reason coded with the order"))


@dataclass(frozen=True, slots=True)
class Urgent:
    """The order's priority is `stat` or `asap`; no priority is routine."""

    text: str = "the order is marked stat or asap"

    def evaluate(self, facts: Facts) -> Finding:
        procedure = facts.order.procedure if facts.order else None
        priority = (procedure.priority or "routine").strip().lower() if procedure else "routine"
        if procedure is not None and priority in ("stat", "asap"):
            return met(self, Message("priority {priority}", priority=priority), procedure.source)
        return not_met(self, Message("priority {priority}", priority=priority))


# Organs whose biopsy is no skin biopsy. Our sets hold no codes for body sites, so the site's words decide.
_NOT_SKIN = frozenset(
    [
        "liver",
        "hepatic",
        "kidney",
        "renal",
        "prostate",
        "lung",
        "bronchus",
        "bone",
        "marrow",
        "muscle",
        "nerve",
        "lymph",
        "thyroid",
        "parathyroid",
        "stomach",
        "gastric",
        "duodenum",
        "colon",
        "colonic",
        "rectum",
        "oesophagus",
        "esophagus",
        "cervix",
        "endometrium",
        "bladder",
        "heart",
        "endomyocardial",
        "pleura",
        "pancreas",
        "spleen",
        "brain",
    ]
)
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class SiteIsNotSkin:
    """The order names a body site, and it is an organ other than the skin."""

    text: str = "the site of the order is not the skin"

    def evaluate(self, facts: Facts) -> Finding:
        procedure = facts.order.procedure if facts.order else None
        sites = procedure.site_words if procedure else ()
        words = set(_WORD.findall(" ".join(sites).lower()))
        if procedure is not None and "skin" not in words and words & _NOT_SKIN:
            return met(self, Message("site: {sites}", sites=Joined("; ", sites)), procedure.source)
        if not sites:
            return not_met(self, Message("site not coded"))
        return not_met(self, Message("site: {sites}", sites=Joined("; ", sites)))
