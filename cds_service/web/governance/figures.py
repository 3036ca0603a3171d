"""The table of the governance page: one row per rule, site and week."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median

from cds_service.store.governance import CallTime, CardCount, Governance, OutcomeCount, ReasonCount, Window
from cds_service.web.governance.alarms import cannot_share, judged_of

TOP_REASONS = 3


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a row is about; `week` is its Monday (UTC)."""

    week: date
    client: str
    rule: str
    version: str


@dataclass(slots=True)
class Figures:
    """Counts of one row. `accepted`, `overridden` and `unanswered` are cards that this rule led."""

    outcomes: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    """Fires in live mode: a card, or a line in another rule's card."""
    shadow: int = 0
    cards: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(code, words) of coded override reasons."""
    services: set[str] = field(default_factory=set)
    last_fired: str | None = None
    """Day (UTC) of the last fire."""
    by_day: Counter[str] = field(default_factory=Counter)
    """Fires by day."""
    median_ms: float | None = None
    configurations: tuple[str, ...] = ()
    """Hashes in force that week, the latest first."""

    @property
    def judged(self) -> int:
        return judged_of(self.outcomes)

    @property
    def cannot_share(self) -> float | None:
        return cannot_share(self.outcomes)

    @property
    def unanswered(self) -> int:
        """No client reports a card that was ignored: what is left over is."""
        return max(self.cards - self.accepted - self.overridden, 0)

    @property
    def top_reasons(self) -> list[tuple[tuple[str, str], int]]:
        return self.reasons.most_common(TOP_REASONS)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one site in one week."""

    week: date
    client: str
    rows: list[tuple[Key, Figures]]


@dataclass(frozen=True, slots=True)
class Report:
    """Rows by key, newest week first, and the totals of the window."""

    rows: dict[Key, Figures]
    total: Figures
    calls: int

    @property
    def groups(self) -> list[Group]:
        """Rows by week and site."""
        parts = groupby(self.rows.items(), key=lambda item: (item[0].week, item[0].client))
        return [Group(week, client, list(rows)) for (week, client), rows in parts]

    def only_fired(self) -> Report:
        """The same without rules that did not fire that week."""
        return replace(self, rows={key: row for key, row in self.rows.items() if row.last_fired})

    def fires_by_day(self, client: str, rule: str) -> Counter[str]:
        """Fires of one rule at one site over the whole window."""
        found: Counter[str] = Counter()
        for key, figures in self.rows.items():
            if (key.client, key.rule) == (client, rule):
                found.update(figures.by_day)
        return found


def monday(day: str) -> date:
    """The Monday of the week that holds the day (`2026-11-21`)."""
    on = date.fromisoformat(day)
    return on - timedelta(days=on.weekday())


def report(source: Governance, window: Window) -> Report:
    """Ask the store and put it together. Blocks."""
    return assemble(
        source.outcomes(window), source.cards(window), source.reasons(window), source.calls(window)
    )


def assemble(
    outcomes: Iterable[OutcomeCount],
    cards: Iterable[CardCount],
    reasons: Iterable[ReasonCount],
    calls: Iterable[CallTime],
) -> Report:
    """Counts by day become rows by week, newest week first."""
    rows: dict[Key, Figures] = defaultdict(Figures)
    total = Figures()
    _add_outcomes(rows, total, outcomes)
    _add_cards(rows, total, cards)
    _add_reasons(rows, total, reasons)
    number = _add_calls(rows, total, calls)
    ordered = sorted(
        rows.items(),
        key=lambda item: (-item[0].week.toordinal(), item[0].client, item[0].rule, item[0].version),
    )
    return Report(dict(ordered), total, number)


def _add_outcomes(rows: dict[Key, Figures], total: Figures, counted: Iterable[OutcomeCount]) -> None:
    for item in counted:
        figures = rows[Key(monday(item.day), item.client, item.rule, item.version)]
        figures.services.add(item.service)
        for each in (figures, total):
            each.outcomes[item.outcome] += item.count
            if item.outcome == "fires":
                each.by_day[item.day] += item.count
                each.last_fired = max(each.last_fired or "", item.day)
                if item.mode == "live":
                    each.shown += item.count
                else:
                    each.shadow += item.count


def _add_cards(rows: dict[Key, Figures], total: Figures, counted: Iterable[CardCount]) -> None:
    for item in counted:
        for each in (rows[Key(monday(item.day), item.client, item.rule, item.version)], total):
            each.cards += item.cards
            each.accepted += item.accepted
            each.overridden += item.overridden


def _add_reasons(rows: dict[Key, Figures], total: Figures, counted: Iterable[ReasonCount]) -> None:
    for item in counted:
        reason = (item.code or "", item.display or "")
        for each in (rows[Key(monday(item.day), item.client, item.rule, item.version)], total):
            each.reasons[reason] += item.count


def _add_calls(rows: dict[Key, Figures], total: Figures, calls: Iterable[CallTime]) -> int:
    """Median time and configuration hashes of the calls of the services on which a rule stood that week."""
    times: dict[tuple[date, str, str], list[float]] = defaultdict(list)
    hashes: dict[tuple[date, str, str], dict[str, str]] = defaultdict(dict)
    weeks: dict[str, date] = {}
    for call in calls:
        week = weeks.get(call.day) or weeks.setdefault(call.day, monday(call.day))
        place = (week, call.client, call.service)
        times[place].append(call.ms)
        if call.at > hashes[place].get(call.config_hash, ""):
            hashes[place][call.config_hash] = call.at
    answered: dict[tuple[date, str, frozenset[str]], tuple[float | None, tuple[str, ...]]] = {}
    for key, figures in rows.items():
        # Rules of one site and week mostly share their services: medians are worked out once.
        group = (key.week, key.client, frozenset(figures.services))
        if group not in answered:
            places = [(key.week, key.client, service) for service in group[2]]
            answered[group] = (
                _median(times[place] for place in places),
                _latest(hashes[place] for place in places),
            )
        figures.median_ms, figures.configurations = answered[group]
    total.median_ms = _median(times.values())
    return sum(map(len, times.values()))


def _median(times: Iterable[list[float]]) -> float | None:
    found = [ms for some in times for ms in some]
    return median(found) if found else None


def _latest(hashes: Iterable[dict[str, str]]) -> tuple[str, ...]:
    """Hashes by the time of the last call under each, the latest first."""
    last: dict[str, str] = {}
    for some in hashes:
        for name, at in some.items():
            last[name] = max(at, last.get(name, ""))
    return tuple(sorted(last, key=lambda name: last[name], reverse=True))


def window_of(now: datetime, weeks: int, client: str | None, rule: str | None) -> Window:
    """The running week and the whole weeks before it, `weeks` in all."""
    start = datetime.combine(monday(now.date().isoformat()), datetime.min.time(), now.tzinfo)
    return Window(
        since=start - timedelta(weeks=weeks - 1), until=now + timedelta(minutes=1), client=client, rule=rule
    )
