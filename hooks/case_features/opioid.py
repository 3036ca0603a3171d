"""How an opioid is ordered: a single dose, when needed for a short time, or regularly (rule 14)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import AnyOf, Facts, Finding, HasProblem, Message, in_groups, met, not_met, within
from hooks import valuesets as vs
from hooks.case_features.ordered import OrderedFor, ordered_medicine

SHORT_DAYS = 1
"""24 hours: "when needed" for longer than this counts as more than a short course."""

_ENCOUNTER_DAYS = 90


@dataclass(frozen=True, slots=True)
class ComfortCareEncounter:
    """A palliative encounter began in the last 90 days. Encounters are optional data: unread is "none known"."""

    text: str = f"palliative encounter in the last {_ENCOUNTER_DAYS} days"

    def evaluate(self, facts: Facts) -> Finding:
        for item in facts.encounters or ():
            if (
                in_groups(item.sets, (vs.PALLIATIVE_CARE,))
                and item.started is not None
                and within(facts, item.started, _ENCOUNTER_DAYS)
            ):
                return met(self, Message("palliative encounter of {when}", when=item.started), item.source)
        return not_met(self, Message("no such encounter known"))


COMFORT_CARE = AnyOf(
    (HasProblem((vs.PALLIATIVE_CARE,)), OrderedFor((vs.PALLIATIVE_CARE,)), ComfortCareEncounter())
)


@dataclass(frozen=True, slots=True)
class ShortUse:
    """A single dose, or "when needed" for at most 24 hours. Unknown lengths are not short."""

    text: str = "a single dose, or when needed for at most 24 hours"

    def evaluate(self, facts: Facts) -> Finding:
        item = ordered_medicine(facts)
        if item is None:
            return not_met(self, Message("not an order for a medicine"))
        if item.single_dose:
            return met(self, Message("single dose"), item.source)
        if item.as_needed and item.course_days is not None and item.course_days <= SHORT_DAYS:
            return met(
                self,
                Message("when needed, for {days} day(s)", days=item.course_days),
                item.source,
            )
        return not_met(self, Message("not known to be a single dose or short"), item.source)


@dataclass(frozen=True, slots=True)
class LastingUse:
    """Regular use, or "when needed" for more than 24 hours, as far as the structured dosage shows it."""

    text: str = "regular use, or when needed for more than 24 hours"

    def evaluate(self, facts: Facts) -> Finding:
        item = ordered_medicine(facts)
        if item is None:
            return not_met(self, Message("not an order for a medicine"))
        if item.course_days is not None and item.course_days > SHORT_DAYS:
            return met(self, Message("course of {days} days", days=item.course_days), item.source)
        if item.daily_dose is not None and not item.as_needed:
            return met(self, Message("regular: {dose}", dose=item.daily_dose.text), item.source)
        return not_met(self, Message("duration or regular use not given"), item.source)
