"""How often a site would be spoken to: replayed orders as figures, and two rule sets side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cds_service.population.judge import Told
from cds_service.population.replay import Replayed
from cds_service.population.trouble import Trouble

MOST_CASES = 20
_replayed = msgspec.json.Decoder(Replayed)


class RuleBurden(msgspec.Struct):
    """One rule at one tier."""

    rule: str
    mode: str
    outcome: str
    tier: str
    orders: int
    per_1000_orders: float


class Change(msgspec.Struct):
    """What the other rule set does to a rule: on how many orders, with the first few of them."""

    rule: str
    change: str
    """`fired`, `cleared` or `changed`."""
    orders: int
    cases: list[str]


class Burden(msgspec.Struct):
    """The figures of a replay; rates are per 1,000 orders and per day of one clinician."""

    as_of: str
    days: int
    orders: int = 0
    sessions: int = 0
    clinician_days: int = 0
    unsigned: int = 0
    """Orders that do not say who signed them; they belong to no clinician-day."""
    cards: dict[str, int] = {}
    """Indicator -> cards that would have been shown."""
    cards_per_1000_orders: float = 0
    cards_per_clinician_day: float | None = None
    orders_with_card: int = 0
    rules: list[RuleBurden] = []
    other_cards: dict[str, int] | None = None
    changes: list[Change] = []
    troubles: list[Trouble] = []


def read_orders(path: Path) -> Iterator[Replayed]:
    with path.open("rb") as stream:
        for line in stream:
            yield _replayed.decode(line)


def weigh(orders: Iterable[Replayed], as_of: str, days: int, *, compared: bool) -> Burden:
    """Fold replayed orders into figures, in one pass."""
    tally = _Tally()
    for item in orders:
        tally.take(item)
    return tally.burden(as_of, days, compared=compared)


class _Tally:
    def __init__(self) -> None:
        self.orders = self.sessions = self.unsigned = self.with_card = 0
        self.clinician_days: set[tuple[str, str]] = set()
        self.signed_cards = 0
        self.cards: Counter[str] = Counter()
        self.other_cards: Counter[str] = Counter()
        self.rules: Counter[tuple[str, str, str, str]] = Counter()
        self.changes: Counter[tuple[str, str]] = Counter()
        self.cases: dict[tuple[str, str], list[str]] = {}

    def take(self, item: Replayed) -> None:
        self.orders += 1
        self.sessions += item.first
        if item.by:
            self.clinician_days.add((item.by, item.day))
            self.signed_cards += len(item.cards)
        else:
            self.unsigned += 1
        self.with_card += any(rule.outcome == "fires" and rule.mode == "live" for rule in item.rules)
        self.cards.update(card.indicator for card in item.cards)
        self.other_cards.update(card.indicator for card in item.other_cards)
        self.rules.update((rule.rule, rule.mode, rule.outcome, _tier(rule)) for rule in item.rules)
        for change in _changes(item):
            self.changes[change] += 1
            cases = self.cases.setdefault(change, [])
            if len(cases) < MOST_CASES:
                cases.append(item.order)

    def burden(self, as_of: str, days: int, *, compared: bool) -> Burden:
        cards, members = sum(self.cards.values()), len(self.clinician_days)
        return Burden(
            as_of=as_of,
            days=days,
            orders=self.orders,
            sessions=self.sessions,
            clinician_days=members,
            unsigned=self.unsigned,
            cards=dict(sorted(self.cards.items())),
            cards_per_1000_orders=_per_1000(cards, self.orders),
            cards_per_clinician_day=round(self.signed_cards / members, 4) if members else None,
            orders_with_card=self.with_card,
            rules=[
                RuleBurden(*key, count, _per_1000(count, self.orders))
                for key, count in sorted(self.rules.items())
            ],
            other_cards=dict(sorted(self.other_cards.items())) if compared else None,
            changes=[
                Change(rule, change, count, self.cases[rule, change])
                for (rule, change), count in sorted(self.changes.items())
            ]
            if compared
            else [],
        )


def _per_1000(count: int, orders: int) -> float:
    return round(1000 * count / orders, 2) if orders else 0.0


def _tier(rule: Told) -> str:
    return f"{rule.indicator} {rule.branch}".strip()


def _changes(item: Replayed) -> Iterator[tuple[str, str]]:
    """Rule and change: a rule counts as firing only where it fires, live or in shadow."""
    before = {rule.rule: rule for rule in item.rules if rule.outcome == "fires"}
    after = {rule.rule: rule for rule in item.other_rules if rule.outcome == "fires"}
    for ident in sorted(before.keys() | after.keys()):
        if ident not in before:
            yield ident, "fired"
        elif ident not in after:
            yield ident, "cleared"
        elif (_tier(before[ident]), before[ident].mode) != (_tier(after[ident]), after[ident].mode):
            yield ident, "changed"
