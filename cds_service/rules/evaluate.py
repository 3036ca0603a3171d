"""Rule x facts -> Outcome: fires, clear, cannot-assess, suppressed, not-triggered. Pure."""

from __future__ import annotations

from enum import StrEnum

from cds_service.facts.model import MUST_NOT, Facts, Order
from cds_service.facts.record import Record
from cds_service.localise.text import Message, Text
from cds_service.rules.answer import Answer, Finding
from cds_service.rules.criteria import Criterion
from cds_service.rules.rule import Indicator, Mode, Rule, Tier


class Result(StrEnum):
    FIRES = "fires"
    CLEAR = "clear"
    CANNOT_ASSESS = "cannot-assess"
    SUPPRESSED = "suppressed"
    NOT_TRIGGERED = "not-triggered"


class Outcome(Record, frozen=True, gc=False):
    """What one rule says about one order (or about the patient, for hooks without orders)."""

    rule: Rule
    mode: Mode
    result: Result
    order: Order | None
    tier: Tier | None = None
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[Text, ...] = ()
    """Suppressions and exclusions that could not be checked; the card names them and offers no delete."""
    error: str | None = None
    """Error id, when the rule itself failed."""

    @property
    def indicator(self) -> Indicator:
        """Urgency of the card; a gap is `info`."""
        return self.tier.indicator if self.tier else Indicator.INFO

    @property
    def forbids_delete(self) -> bool:
        return bool(self.not_checked) or (self.tier is not None and self.tier.forbids_delete)


def stopping(order: Order | None) -> bool:
    """The order ends treatment: such an order never fires a rule."""
    if order is None:
        return False
    if order.medication is not None:
        return order.medication.stopped
    return order.procedure is not None and order.procedure.status in _STOPPED


_STOPPED = frozenset({"revoked", "cancelled", "stopped", "entered-in-error", "completed", MUST_NOT})


def triggered(rule: Rule, order: Order | None) -> bool:
    """The order concerns the rule and is no stop: patient data are worth fetching."""
    return rule.trigger.concerns(order) and not stopping(order)


def evaluate(rule: Rule, facts: Facts, mode: Mode) -> Outcome:
    """Judge `facts.order` (or the patient) by one rule.

    AND over population and criteria: any NOT_MET is clear, else any UNKNOWN cannot be assessed. An
    exclusion that is MET clears; an UNKNOWN one cannot be assessed unless it rests on optional or partly
    read data. A suppression silences only what would otherwise fire.
    """
    order = facts.order
    if not rule.trigger.concerns(order):
        return Outcome(rule, mode, Result.NOT_TRIGGERED, order)
    if stopping(order):
        finding = Finding(
            "the order is not a stop", Answer.NOT_MET, Message("the order ends or forbids the treatment")
        )
        return Outcome(rule, mode, Result.SUPPRESSED, order, findings=(finding,))
    needed = _ask(rule.population, facts) + _ask(rule.criteria, facts)
    answers = [finding.answer for finding in needed]
    if Answer.NOT_MET in answers:
        return Outcome(rule, mode, Result.CLEAR, order, findings=tuple(needed))
    excluded = _ask(rule.exclusions, facts)
    findings = (*needed, *excluded)
    if any(finding.answer is Answer.MET for finding in excluded):
        return Outcome(rule, mode, Result.CLEAR, order, findings=findings)
    if Answer.UNKNOWN in answers or any(_holds_up(f) for f in excluded):
        return Outcome(rule, mode, Result.CANNOT_ASSESS, order, findings=findings)
    return _tiered(rule, facts, mode, findings, excluded)


def _tiered(
    rule: Rule, facts: Facts, mode: Mode, findings: tuple[Finding, ...], excluded: list[Finding]
) -> Outcome:
    tried: list[Finding] = []
    chosen: Tier | None = None
    for tier in rule.tiers:
        finding = tier.when.evaluate(facts)
        tried.append(finding)
        if finding.answer is Answer.MET:
            chosen = tier
            break
    findings = (*findings, *tried)
    order = facts.order
    if chosen is None:
        unknown = any(finding.answer is Answer.UNKNOWN for finding in tried)
        result = Result.CANNOT_ASSESS if unknown else Result.CLEAR
        return Outcome(rule, mode, result, order, findings=findings)
    suppressing = _ask(rule.suppressions, facts)
    findings = (*findings, *suppressing)
    if any(finding.answer is Answer.MET for finding in suppressing):
        return Outcome(rule, mode, Result.SUPPRESSED, order, findings=findings)
    if any(_holds_up(finding) for finding in suppressing):
        return Outcome(rule, mode, Result.CANNOT_ASSESS, order, findings=findings)
    open_questions = (*excluded, *suppressing, *tried)
    not_checked = tuple(dict.fromkeys(f.because for f in open_questions if f.answer is Answer.UNKNOWN))
    return Outcome(rule, mode, Result.FIRES, order, chosen, findings, not_checked)


def _ask(criteria: tuple[Criterion, ...], facts: Facts) -> list[Finding]:
    return [criterion.evaluate(facts) for criterion in criteria]


def _holds_up(finding: Finding) -> bool:
    return finding.answer is Answer.UNKNOWN and not finding.optional
