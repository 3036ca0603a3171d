"""Vitamin K antagonists: new start or renewal, and indications that make one mandatory."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import (
    Answer,
    Asked,
    CodeGroup,
    Facts,
    Finding,
    Joined,
    MedicationState,
    Message,
    Record,
    Taking,
    Text,
    describe,
    in_groups,
    met,
    not_met,
    unknown,
)
from hooks import valuesets as vs

RECENT_DAYS = 90
ACKNOWLEDGED_DAYS = 90
VKA = (vs.VITAMIN_K_ANTAGONISTS,)
ON_VKA = Taking(VKA, ended_within_days=RECENT_DAYS)

_INDICATIONS: tuple[tuple[tuple[CodeGroup, ...], Text], ...] = (
    ((vs.MECHANICAL_HEART_VALVE_SNOMED_LICENSED,), Message("mechanical heart valve")),
    ((vs.PROSTHETIC_HEART_VALVE_TYPE_NOT_CODED,), Message("prosthetic heart valve (type not coded)")),
    (
        (vs.ANTIPHOSPHOLIPID_SYNDROME, vs.ANTIPHOSPHOLIPID_SYNDROME_SNOMED_LICENSED),
        Message("antiphospholipid syndrome"),
    ),
    ((vs.MITRAL_STENOSIS_RHEUMATIC,), Message("moderate-severe or rheumatic mitral stenosis")),
    ((vs.VENTRICULAR_ASSIST_DEVICE,), Message("left ventricular assist device")),
)
VALVE_TYPE_NOT_CODED = vs.PROSTHETIC_HEART_VALVE_TYPE_NOT_CODED


class Indication(Record, frozen=True, gc=False):
    name: Text
    because: Text
    source: str
    valve_type_not_coded: bool


def mandatory_indications(facts: Facts) -> tuple[Indication, ...]:
    """Active problems for which a DOAC is contraindicated or harmful, in a fixed order."""
    found = []
    active = [problem for problem in facts.problems or () if problem.active and problem.sets]
    for groups, name in _INDICATIONS:
        for problem in active:
            if in_groups(problem.sets, groups):
                untyped = in_groups(problem.sets, (VALVE_TYPE_NOT_CODED,))
                found.append(Indication(name, describe(problem), problem.source, untyped))
                break
    return tuple(found)


@dataclass(frozen=True, slots=True)
class MandatoryVka:
    """A coded indication for which only a VKA is established."""

    text: str = (
        "a coded indication that needs a VKA: mechanical valve (or valve type not coded), antiphospholipid "
        "syndrome, rheumatic mitral stenosis, left ventricular assist device"
    )

    def evaluate(self, facts: Facts) -> Finding:
        if facts.problems is None:
            return unknown(
                self,
                Message("problem list not readable: {reason}", reason=facts.why_unread("conditions")),
            )
        found = facts.feature(mandatory_indications)
        if found:
            return met(self, Joined("; ", (i.because for i in found)), *(i.source for i in found))
        if "conditions" in facts.incomplete:
            return unknown(self, Message("problem list received only in part"), optional=True)
        return not_met(self, Message("no such indication coded"))


@dataclass(frozen=True, slots=True)
class ValveTypeNotCoded:
    """The indication is a prosthetic valve whose code does not say mechanical or tissue."""

    text: str = "the code of the valve does not say mechanical or tissue"

    def evaluate(self, facts: Facts) -> Finding:
        untyped = [item for item in facts.feature(mandatory_indications) if item.valve_type_not_coded]
        if untyped:
            return met(self, untyped[0].because, untyped[0].source)
        return not_met(self, Message("no valve, or its type is coded"))


@dataclass(frozen=True, slots=True)
class VkaRenewal:
    """The draft continues a VKA: one is active or ended at most 90 days ago, or the draft replaces one.

    On medication-refill every order is a renewal.
    """

    text: str = "a VKA is active, ended in the last 90 days, or is replaced by this order"

    def evaluate(self, facts: Facts) -> Finding:
        order = facts.order
        if order is not None and order.renewal:
            return met(self, Message("the order is a refill"), order.reference)
        if order is not None and order.medication is not None and order.medication.prior is not None:
            prior = order.medication.prior
            known = next((item for item in facts.medications or () if item.source == prior), None)
            if known is None or in_groups(known.sets, VKA):
                return met(
                    self, Message("the order names the prescription that it replaces"), order.reference
                )
        return _retitled(ON_VKA.evaluate(facts), self)


@dataclass(frozen=True, slots=True)
class NewVkaStart:
    """The draft starts a VKA. With the medication list unreadable it is treated as a start."""

    text: str = "no VKA is active, none ended in the last 90 days, and the order replaces none"

    def evaluate(self, facts: Facts) -> Finding:
        renewal = VkaRenewal().evaluate(facts)
        if renewal.answer is Answer.MET:
            return not_met(self, renewal.because, *renewal.sources)
        return met(self, renewal.because, *renewal.sources)


@dataclass(frozen=True, slots=True)
class CurrentMedicinesUnreadable:
    """The medication list could not be read (or only in part), so nothing can be said of what is not on it."""

    text: str = "current medicines are not readable"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.may_lack("medications"):
            return met(
                self,
                Message("medication list: {reason}", reason=facts.why_unread("medications")),
            )
        return not_met(self, Message("the medication list was read"))


@dataclass(frozen=True, slots=True)
class AcknowledgedVka:
    """The same kind of drug has been active for 90 days or more: the indication has been weighed before."""

    text: str = "a VKA has been active for 90 days or more (site setting suppress_acknowledged_mandatory_vka)"

    def evaluate(self, facts: Facts) -> Finding:
        if not facts.settings.get("suppress_acknowledged_mandatory_vka", True):
            return not_met(self, Message("switched off by the site"))
        if facts.medications is None:
            # Cannot be shown, so the card appears (rule 3, missing data).
            return not_met(self, Message("current medicines not readable: acknowledged use cannot be shown"))
        # Renewals make new orders: an earlier one that ended no more than 90 days ago belongs to the same use.
        found = ON_VKA.found(facts)
        active = [item for item in found if item.state is MedicationState.ACTIVE]
        for item in found:
            long = item.started is not None and facts.age_days(item.started) >= ACKNOWLEDGED_DAYS
            if active and long:
                return met(
                    self,
                    Message("{drug} in use since {when}", drug=item.title, when=item.started),
                    item.source,
                    active[0].source,
                )
        return not_met(self, Message("no VKA active for so long"))


def _retitled(finding: Finding, asked: Asked) -> Finding:
    return Finding(asked, finding.answer, finding.because, finding.sources, finding.optional)
