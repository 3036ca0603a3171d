"""Case files: one call with what it must answer. The same file is a test, a replay input and a demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from cds_service.compose import topic_code
from cds_service.content.problem import Problem
from cds_service.rules.evaluate import Result
from cds_service.rules.rule import Indicator, Rule

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
    modes: dict[str, Literal["live", "shadow", "off"]] = {}
    """Rule modes the case asks for, as in CDS_RULE_MODES."""

    def outcome(self, rule: Rule) -> str | None:
        """What the rule must answer here; a card of its own without a stated outcome means that it fires."""
        stated = self.expect.outcomes.get(rule.id)
        if stated is None and any(card.rule == rule.id for card in self.expect.cards):
            return FIRES
        return stated

    def cards(self, rule: Rule) -> list[ExpectedCard]:
        return [card for card in self.expect.cards if card.rule == rule.id]


def parse_as_of(text: str) -> datetime:
    """Clinical time of a case: a date means noon UTC of that day."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00+00:00")


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


def topics_of(rule: Rule) -> list[str]:
    """The topic code of each tier, in order."""
    return [topic_code(rule.id, tier.indicator, tier.branch) for tier in rule.tiers]


def unknown_names(cases: Cases, services: Iterable[str], rules: Iterable[Rule]) -> list[Problem]:
    """Services, rules, topics and outcomes that do not exist: such a case proves nothing."""
    known_services = frozenset(services)
    topics = {rule.id: {"", topic_code(rule.id, Indicator.INFO, "Gap"), *topics_of(rule)} for rule in rules}
    problems = []
    for stem, case in cases.by_stem.items():
        cards = case.expect.cards
        named = {card.rule for card in cards} | set(case.expect.outcomes)
        wrong = [f"service {case.service}"] if case.service not in known_services else []
        wrong += [f"rule {rule}" for rule in sorted(named - set(topics))]
        wrong += [f"topic {c.topic}" for c in cards if c.rule in topics and c.topic not in topics[c.rule]]
        wrong += [f"outcome {each}" for each in sorted(set(case.expect.outcomes.values()) - set(Result))]
        problems += [Problem("case-unknown", f"case {stem}", f"Names an unknown {each}.") for each in wrong]
    return problems


def coverage(rule: Rule, cases: Cases, minimum: int) -> list[Problem]:
    """Too few cases for a tier, or none that fires, stays silent or cannot be assessed.

    A card in a case is attributed to a tier by its topic code, else by its indicator; a case in which the
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
    exact = Counter(topic for cards in firing for topic in {card.topic for card in cards if card.topic})
    vague = Counter(kind for cards in firing for kind in {card.indicator for card in cards if not card.topic})
    as_a_line = sum(not cards for cards in firing)
    problems = []
    topics = topics_of(rule)
    for topic, tiers in Counter(topics).items():
        indicator = rule.tiers[topics.index(topic)].indicator
        need, have = tiers * minimum, exact[topic]
        from_vague = min(max(need - have, 0), vague[indicator.value])
        vague[indicator.value] -= from_vague
        from_lines = min(max(need - have - from_vague, 0), as_a_line)
        as_a_line -= from_lines
        have += from_vague + from_lines
        if have < need:
            text = f"{have} of {need} cases with the card {topic} ({minimum} for each of {tiers} tier(s))."
            problems.append(Problem("case-too-few", f"rule {rule.id}", text))
    return problems
