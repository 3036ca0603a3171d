"""Case files: one call with what it must answer. The same file is a test, a replay input and a demo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cds_service.content.problem import Problem
from cds_service.rules.evaluate import Result
from cds_service.rules.rule import Rule

FIRES, GAP = Result.FIRES.value, Result.CANNOT_ASSESS.value
SILENT = frozenset({Result.CLEAR.value, Result.SUPPRESSED.value, Result.NOT_TRIGGERED.value})


class ExpectedCard(msgspec.Struct, frozen=True):
    rule: str
    indicator: str
    topic: str = ""
    """Exact topic code, where a rule has several tiers of one indicator."""


class Expectation(msgspec.Struct, frozen=True):
    cards: tuple[ExpectedCard, ...]
    outcomes: dict[str, str] = {}


class Case(msgspec.Struct, frozen=True):
    """A case as far as the content check and the sheets need it; the request itself stays raw."""

    case: str
    why: str
    as_of: str
    service: str
    request: msgspec.Raw
    expect: Expectation

    def outcome(self, rule: Rule) -> str | None:
        """What the rule must answer here; a card of its own without a stated outcome means that it fires."""
        stated = self.expect.outcomes.get(rule.id)
        if stated is None and any(card.rule == rule.id for card in self.expect.cards):
            return FIRES
        return stated

    def cards(self, rule: Rule) -> list[ExpectedCard]:
        return [card for card in self.expect.cards if card.rule == rule.id]


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a folder, by file stem, and what is wrong with the rest."""

    by_stem: dict[str, Case] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def about(self, rule: Rule) -> list[tuple[str, Case]]:
        """Cases that say something about the rule, by name."""
        return [(stem, case) for stem, case in self.by_stem.items() if case.outcome(rule) is not None]


def read_cases(folder: Path | None) -> Cases:
    """Every case file of `folder`; without a folder there are none."""
    found: dict[str, Case] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.json")) if folder else ():
        try:
            case = msgspec.json.decode(path.read_bytes(), type=Case)
        except msgspec.MsgspecError as error:
            problems.append(Problem("case-unreadable", f"case {path.name}", f"Cannot be read: {error}."))
            continue
        found[path.stem] = case
        if case.case != path.stem:
            text = f"Calls itself {case.case}; the name of a case is that of its file."
            problems.append(Problem("case-name", f"case {path.name}", text))
    return Cases(found, tuple(problems))


def unknown_names(cases: Cases, services: Iterable[str], rules: Iterable[str]) -> list[Problem]:
    """Services, rules and outcomes that do not exist: such a case proves nothing."""
    known_services, known_rules = frozenset(services), frozenset(rules)
    problems = []
    for stem, case in cases.by_stem.items():
        named = {card.rule for card in case.expect.cards} | set(case.expect.outcomes)
        wrong = [f"service {case.service}"] if case.service not in known_services else []
        wrong += [f"rule {rule}" for rule in sorted(named - known_rules)]
        wrong += [f"outcome {each}" for each in sorted(set(case.expect.outcomes.values()) - set(Result))]
        problems += [Problem("case-unknown", f"case {stem}", f"Names an unknown {each}.") for each in wrong]
    return problems


def coverage(rule: Rule, cases: Cases, minimum: int) -> list[Problem]:
    """Too few cases for a tier, or none that fires, stays silent or cannot be assessed.

    A case names the rule and the indicator of a card; with `topic` it names the tier. A case in which the
    rule fires only as a line of another rule's card counts for any tier.
    """
    place = f"rule {rule.id}"
    outcomes = [case.outcome(rule) for _, case in cases.about(rule)]
    problems = []
    if FIRES not in outcomes:
        problems.append(Problem("case-firing-missing", place, "No case in which it fires."))
    if not SILENT & set(outcomes):
        problems.append(
            Problem(
                "case-silent-missing", place, "No case in which it is clear, suppressed or not triggered."
            )
        )
    if GAP not in outcomes:
        problems.append(Problem("case-gap-missing", place, "No case in which it cannot be assessed."))
    return problems + _tier_coverage(rule, cases, minimum)


def _tier_coverage(rule: Rule, cases: Cases, minimum: int) -> list[Problem]:
    firing = [case.cards(rule) for _, case in cases.about(rule) if case.outcome(rule) == FIRES]
    unattributed = sum(not cards for cards in firing)
    problems = []
    for indicator in dict.fromkeys(tier.indicator for tier in rule.tiers):
        tiers = sum(tier.indicator is indicator for tier in rule.tiers)
        have = sum(any(card.indicator == indicator.value for card in cards) for cards in firing)
        lacking = tiers * minimum - have
        covered = min(max(lacking, 0), unattributed)
        unattributed -= covered
        if lacking > covered:
            text = (
                f"{have + covered} of {tiers * minimum} cases for {tiers} tier(s) with indicator "
                f"{indicator.value} ({minimum} for each tier)."
            )
            problems.append(Problem("case-too-few", f"rule {rule.id}", text))
    return problems
