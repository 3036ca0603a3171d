"""The criterion kinds of the engine. Each is a small frozen object that explains itself.

`.text` is plain English built from the criterion's own parameters, so the sheet a pharmacist signs, the
trace a developer reads and the logic cannot drift apart. Disease-specific kinds live with the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol, runtime_checkable

from cds_service.facts.dates import When, years_between
from cds_service.facts.model import Facts, Medication, MedicationState, Order, Problem
from cds_service.localise.text import Deferred, Joined, Message, Text
from cds_service.rules.answer import Answer, Asked, Finding, met, not_met, unknown


class CodeGroup(Protocol):
    """A value set or a group of value sets."""

    @property
    def title(self) -> str: ...
    @property
    def ids(self) -> frozenset[str]: ...


@runtime_checkable
class Criterion(Protocol):
    """Anything that can be asked of Facts."""

    @property
    def text(self) -> str: ...

    def evaluate(self, facts: Facts) -> Finding:
        """Answer with reason; pure, never raises for missing data."""
        ...


class Trigger(Protocol):
    """Which orders (or which hook without orders) a rule is about; needs no patient data."""

    @property
    def text(self) -> str: ...

    def concerns(self, order: Order | None) -> bool:
        """The order, stopped or not, is of the kind the rule is about."""
        ...


@dataclass(frozen=True, slots=True)
class _OfGroups:
    """Asks for something that is in one of `groups`."""

    groups: tuple[CodeGroup, ...]
    ids: frozenset[str] = field(init=False, compare=False, repr=False)
    """The value sets of all groups together: one look tells what no group holds."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", ids_of(self.groups))

    @property
    def kinds(self) -> str:
        """The groups, as they stand in a sentence."""
        return " or ".join(group.title for group in self.groups)


_UNKNOWN = Answer.UNKNOWN
"""By a name of its own, because an attribute of an enumeration costs as much as a comparison."""


# --- triggers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordering(_OfGroups):
    """A draft order of a drug in one of `groups`."""

    only_routes: tuple[str, ...] = ()
    not_routes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        if self.only_routes:
            return (
                f"an order for {self.kinds} by the route: {', '.join(self.only_routes)} (or route not given)"
            )
        but = f", other than by the route: {', '.join(self.not_routes)}" if self.not_routes else ""
        return f"an order for {self.kinds}{but}"

    def concerns(self, order: Order | None) -> bool:
        if order is None or order.medication is None:
            return False
        if self.ids.isdisjoint(order.medication.sets):
            return False
        route = order.medication.route
        if route is None:
            return True
        return route not in self.not_routes and (not self.only_routes or route in self.only_routes)


@dataclass(frozen=True, slots=True)
class OrderingProcedure(_OfGroups):
    """A draft order for a procedure in one of `groups`, and in none of `but_not`."""

    but_not: tuple[CodeGroup, ...] = ()

    @property
    def text(self) -> str:
        but = f" (not {' or '.join(group.title for group in self.but_not)})" if self.but_not else ""
        return f"an order for {self.kinds}{but}"

    def concerns(self, order: Order | None) -> bool:
        if order is None or order.procedure is None:
            return False
        sets = order.procedure.sets
        if in_groups(sets, self.but_not):
            return False
        return not self.ids.isdisjoint(sets)


@dataclass(frozen=True, slots=True)
class EitherOrder:
    """A draft order that any of several triggers concerns."""

    triggers: tuple[Trigger, ...]

    @property
    def text(self) -> str:
        return "; or ".join(trigger.text for trigger in self.triggers)

    def concerns(self, order: Order | None) -> bool:
        return any(trigger.concerns(order) for trigger in self.triggers)


@dataclass(frozen=True, slots=True)
class OpeningChart:
    """The chart of a patient is opened."""

    text: str = "the chart is opened"

    def concerns(self, order: Order | None) -> bool:
        return order is None


@dataclass(frozen=True, slots=True)
class Discharging:
    """The patient is being discharged."""

    text: str = "the patient is being discharged"

    def concerns(self, order: Order | None) -> bool:
        return order is None


# --- logic ------------------------------------------------------------------------------------------


def _several(asked: Asked, findings: Sequence[Finding], deciding: Answer, otherwise: Answer) -> Finding:
    """AND (deciding = NOT_MET) and OR (deciding = MET) of three-valued answers."""
    chosen = [finding for finding in findings if finding.answer is deciding]
    answer = deciding
    if not chosen:
        chosen = [finding for finding in findings if finding.answer is _UNKNOWN]
        answer = _UNKNOWN
    if not chosen:
        chosen, answer = list(findings), otherwise
    if len(chosen) == 1:
        because, sources = chosen[0].because, chosen[0].sources
    else:
        because = Joined("; ", [finding.because for finding in chosen])
        sources = tuple(chain.from_iterable([finding.sources for finding in chosen]))
    return Finding(
        asked,
        answer,
        because,
        tuple(dict.fromkeys(sources)) if len(sources) > 1 else sources,
        optional=answer is _UNKNOWN and all(finding.optional for finding in chosen),
    )


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one holds: any NOT_MET wins, else any UNKNOWN."""

    criteria: tuple[Criterion, ...]

    @property
    def text(self) -> str:
        return " and ".join(f"({criterion.text})" for criterion in self.criteria)

    def evaluate(self, facts: Facts) -> Finding:
        findings = [criterion.evaluate(facts) for criterion in self.criteria]
        return _several(self, findings, Answer.NOT_MET, Answer.MET)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds: any MET wins, else any UNKNOWN."""

    criteria: tuple[Criterion, ...]

    @property
    def text(self) -> str:
        return " or ".join(f"({criterion.text})" for criterion in self.criteria)

    def evaluate(self, facts: Facts) -> Finding:
        findings = [criterion.evaluate(facts) for criterion in self.criteria]
        return _several(self, findings, Answer.MET, Answer.NOT_MET)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; UNKNOWN stays UNKNOWN."""

    criterion: Criterion

    @property
    def text(self) -> str:
        return f"not ({self.criterion.text})"

    def evaluate(self, facts: Facts) -> Finding:
        found = self.criterion.evaluate(facts)
        return Finding(self, _TURNED[found.answer], found.because, found.sources, found.optional)


_TURNED = {Answer.MET: Answer.NOT_MET, Answer.NOT_MET: Answer.MET, Answer.UNKNOWN: Answer.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Always:
    """Holds for everybody: the only tier of a rule without further conditions."""

    text: str = "in every such case"

    def evaluate(self, facts: Facts) -> Finding:  # noqa: ARG002
        return met(self, Message("no further condition"))


# --- patient ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgeAtLeast:
    """Completed years at the time of the call; the birthday itself counts."""

    years: int

    @property
    def text(self) -> str:
        return f"age {self.years} years or more"

    def evaluate(self, facts: Facts) -> Finding:
        patient = facts.patient
        if patient is None:
            return unknown(self, Message("Patient: {reason}", reason=facts.why_unread("patient")))
        years = facts.feature(_years)
        if years is None:
            return unknown(self, Message("age not recorded"), patient.source)
        least, most = years
        if least >= self.years:
            return met(self, Message("age {least}", least=least), patient.source)
        if most < self.years:
            return not_met(self, Message("age {most}", most=most), patient.source)
        return unknown(self, Message("birth date too vague to tell the age"), patient.source)


def _years(facts: Facts) -> tuple[int, int] | None:
    """Least and greatest completed years; None without a date of birth. Every rule asks for them."""
    birth = facts.patient.birth if facts.patient else None
    if birth is None or birth.is_future(facts.as_of):
        return None
    return years_between(birth, facts.as_of, facts.zone)


@dataclass(frozen=True, slots=True)
class HasProblem(_OfGroups):
    """An active problem (or one in the history, with `history=True`) coded in one of `groups`."""

    history: bool = False
    within_days: int | None = None
    """Onset or recording at most this many days ago."""

    @property
    def text(self) -> str:
        when = f" in the last {self.within_days} days" if self.within_days is not None else ""
        return f"{'active or past' if self.history else 'active'} problem{when}: {self.kinds}"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.problems is None:
            return unknown(
                self,
                Message("problem list not readable: {reason}", reason=facts.why_unread("conditions")),
            )
        if not self.ids.isdisjoint(facts.feature(_problem_sets)):
            for problem in facts.problems:
                if (problem.active or self.history) and not self.ids.isdisjoint(problem.sets):
                    if self.within_days is None:
                        return met(self, Deferred(describe, problem), problem.source)
                    if problem.since is not None and within(facts, problem.since, self.within_days):
                        return met(self, Deferred(describe, problem), problem.source)
        if "conditions" in facts.incomplete:
            return unknown(self, Message("problem list incomplete"), optional=True)
        return not_met(self, _NOT_DOCUMENTED)


_NOT_DOCUMENTED = Message("not documented on the problem list")


def _problem_sets(facts: Facts) -> frozenset[str]:
    """What all problems together stand for: most questions about them are answered by what is missing here."""
    return frozenset().union(*[problem.sets for problem in facts.problems or ()])


@dataclass(frozen=True, slots=True)
class Taking(_OfGroups):
    """A drug in one of `groups` on the medication list: active or on hold, or ended recently."""

    ended_within_days: int | None = None
    only_routes: tuple[str, ...] = ()
    not_routes: tuple[str, ...] = ("topical",)

    @property
    def text(self) -> str:
        recent = (
            "" if self.ended_within_days is None else f" (or ended in the last {self.ended_within_days} days)"
        )
        return f"taking {self.kinds}{recent}"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.medications is None:
            return unknown(
                self,
                Message("current medicines not readable: {reason}", reason=facts.why_unread("medications")),
            )
        found = self.found(facts)
        if found:
            return met(self, Deferred(describe_medications, found), *[item.source for item in found])
        if "medications" in facts.incomplete:
            return unknown(self, Message("medication list incomplete"), optional=True)
        return not_met(self, _NOT_LISTED)

    def found(self, facts: Facts) -> list[Medication]:
        """The medicines on the list that count, other than the order being judged."""
        ids = self.ids
        if ids.isdisjoint(facts.feature(_medicine_sets)):
            return []
        judged = facts.order.reference if facts.order else None
        return [
            item
            for item in facts.feature(_recognised)
            if not ids.isdisjoint(item.sets)
            and item.source != judged
            and self._time_counts(facts, item)
            and self._route_counts(item.route)
        ]

    def counts(self, item: Medication) -> bool:
        """The drug is in one of the groups, by a route that counts."""
        return not self.ids.isdisjoint(item.sets) and self._route_counts(item.route)

    def _route_counts(self, route: str | None) -> bool:
        if route is None:
            return True
        return route in self.only_routes if self.only_routes else route not in self.not_routes

    def _time_counts(self, facts: Facts, item: Medication) -> bool:
        if item.state is not MedicationState.ENDED:
            return True
        if self.ended_within_days is None or item.ended is None:
            return False
        return facts.age_days(item.ended) <= self.ended_within_days


_NOT_LISTED = Message("not on the medication list")


def _medicine_sets(facts: Facts) -> frozenset[str]:
    """What all medicines on the list together stand for, as `_problem_sets`."""
    return frozenset().union(*[item.sets for item in facts.feature(_recognised)])


def _recognised(facts: Facts) -> list[Medication]:
    """The medicines on the list that are in some value set: most of a list is in none."""
    return [item for item in facts.medications or () if item.sets]


@dataclass(frozen=True, slots=True)
class HadProcedure(_OfGroups):
    """A procedure in one of `groups` done at most `within_days` ago. Procedures are optional data."""

    within_days: int

    @property
    def text(self) -> str:
        return f"{self.kinds} in the last {self.within_days} days"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.procedures is None:
            return unknown(self, Message("procedures not readable"), optional=True)
        for procedure in facts.procedures:
            if (
                not self.ids.isdisjoint(procedure.sets)
                and procedure.when
                and within(facts, procedure.when, self.within_days)
            ):
                return met(
                    self,
                    Message("{label}, {when}", label=procedure.title, when=procedure.when),
                    procedure.source,
                )
        if "procedures" in facts.incomplete:
            return unknown(self, Message("list of procedures incomplete"), optional=True)
        return not_met(self, Message("no such procedure recorded"))


@dataclass(frozen=True, slots=True)
class Requested(_OfGroups):
    """A ServiceRequest in one of `groups` ordered at most `within_days` ago. Optional data."""

    within_days: int

    @property
    def text(self) -> str:
        return f"{self.kinds} requested in the last {self.within_days} days"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.requests is None:
            return unknown(self, Message("earlier requests not readable"), optional=True)
        for item in facts.requests:
            if (
                not self.ids.isdisjoint(item.sets)
                and item.when
                and within(facts, item.when, self.within_days)
            ):
                return met(self, Message("{label}, {when}", label=item.title, when=item.when), item.source)
        return not_met(self, Message("no such request recorded"))


# --- wording ----------------------------------------------------------------------------------------


def in_groups(sets: frozenset[str], groups: Iterable[CodeGroup]) -> bool:
    """One of the groups holds one of the value sets. Most of what a record holds is in no set of ours."""
    if sets:
        for group in groups:
            if not group.ids.isdisjoint(sets):
                return True
    return False


def ids_of(groups: Iterable[CodeGroup]) -> frozenset[str]:
    """The value sets of all groups together."""
    return frozenset().union(*(group.ids for group in groups))


def within(facts: Facts, when: When, days: int) -> bool:
    """At most `days` ago (day `days` included) and not in the future."""
    return not when.is_future(facts.as_of) and facts.age_days(when) <= days


def describe(problem: Problem) -> Text:
    """`End stage renal disease (N18.6), since 2 Mar 2024`."""
    if problem.since is None:
        return problem.title
    if problem.onset:
        return Message("{problem}, since {when}", problem=problem.title, when=problem.since)
    return Message("{problem}, recorded {when}", problem=problem.title, when=problem.since)


STATES = {
    MedicationState.DRAFT: Message("draft"),
    MedicationState.ACTIVE: Message("active"),
    MedicationState.ON_HOLD: Message("on hold"),
    MedicationState.ENDED: Message("ended"),
}
"""How a medicine on the list bears on today, in words."""


def describe_medication(item: Medication) -> Text:
    """`warfarin, active since 3 Jan 2025`, with `matched by name` when no code decided."""
    name = by_name(item.title) if item.basis == "name" else item.title
    state = STATES[item.state]
    if item.ended:
        return Message("{drug}, {state}, ended {when}", drug=name, state=state, when=item.ended)
    if item.started:
        return Message("{drug}, {state} since {when}", drug=name, state=state, when=item.started)
    return Message("{drug}, {state}", drug=name, state=state)


def describe_medications(items: Iterable[Medication]) -> Text:
    """Each of them, apart by semicolons."""
    return Joined("; ", [describe_medication(item) for item in items])


def by_name(drug: Text) -> Text:
    """The drug, with the note that only its name told which it is."""
    return Message("{drug} (matched by name)", drug=drug)
