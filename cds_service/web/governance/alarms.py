"""What an operator must look at: the definitions of `deploy/prometheus/alerts.yml`, worked out from the store.

The store remembers what a process forgets when it restarts, so the two may differ for a day after a start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cds_service.store.governance import OutcomeCount

DAY = timedelta(days=1)
BEFORE_DAYS = 7
"""The last day is compared with the seven days before it."""
STOPPED_BEFORE = 70
"""Fires in the seven days before, from which on a day without any is an alarm."""
STOPPED_CALLS = 50
"""Calls on the last day, below which nothing is said about silence."""
TRIPLE = 3
TRIPLE_FIRES = 30
CANNOT_SHARE = 0.5
CANNOT_RISE_SHARE = 0.1
CANNOT_RISE = 2
CANNOT_JUDGED = 20
UNMAPPED = 5
_JUDGED = frozenset({"fires", "clear", "cannot-assess"})
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look at. `urgent` ones page somebody when Prometheus finds them."""

    kind: str
    rule: str | None
    mode: str | None
    text: str
    urgent: bool


def alarms(
    last_day: Iterable[OutcomeCount], before: Iterable[OutcomeCount], *, calls: int, unmapped: dict[str, int]
) -> list[Alarm]:
    """Everything that is wrong, the urgent first.

    Args:
        last_day: outcomes of the last 24 hours.
        before: outcomes of the seven days before these.
        calls: calls in the last 24 hours.
        unmapped: codes that no value set knows, by kind, since this process started.
    """
    now, then = _counts(last_day), _counts(before)
    found = [
        *_stopped(now, then, calls),
        *_cannot_assess(now, then),
        *_tripled(now, then),
        *(
            Alarm(
                "Unmapped codes",
                None,
                None,
                f"{number} {kind} codes that no value set knows, since this process started",
                False,
            )
            for kind, number in sorted(unmapped.items())
            if number >= UNMAPPED
        ),
    ]
    return sorted(found, key=lambda alarm: not alarm.urgent)


def _counts(counted: Iterable[OutcomeCount]) -> dict[_Key, Counter[str]]:
    found: dict[_Key, Counter[str]] = {}
    for item in counted:
        found.setdefault((item.rule, item.mode), Counter())[item.outcome] += item.count
    return dict(sorted(found.items()))


def _stopped(now: dict[_Key, Counter[str]], then: dict[_Key, Counter[str]], calls: int) -> Iterable[Alarm]:
    for (rule, mode), counts in then.items():
        fires = counts["fires"]
        if (
            fires >= STOPPED_BEFORE
            and calls >= STOPPED_CALLS
            and not now.get((rule, mode), Counter())["fires"]
        ):
            text = f"has not fired for a day; {fires} times in the seven days before"
            yield Alarm("Dead rule", rule, mode, text, urgent=True)


def _tripled(now: dict[_Key, Counter[str]], then: dict[_Key, Counter[str]]) -> Iterable[Alarm]:
    for (rule, mode), counts in now.items():
        fires, before = counts["fires"], then.get((rule, mode), Counter())["fires"]
        # A rule without any week before it has nothing to have drifted from.
        if (rule, mode) in then and fires >= TRIPLE_FIRES and fires > TRIPLE * before / BEFORE_DAYS:
            text = f"fired {fires} times in a day; {before} times in the seven days before"
            yield Alarm("Drift", rule, mode, text, urgent=False)


def _cannot_assess(now: dict[_Key, Counter[str]], then: dict[_Key, Counter[str]]) -> Iterable[Alarm]:
    for (rule, mode), counts in now.items():
        judged, share = judged_of(counts), cannot_share(counts)
        before = cannot_share(then.get((rule, mode), Counter()))
        risen = (
            share > CANNOT_RISE_SHARE and not (before is not None and share <= CANNOT_RISE * before)
            if share
            else False
        )
        if share is not None and judged >= CANNOT_JUDGED and (share > CANNOT_SHARE or risen):
            usual = "" if before is None else f"; {before:.0%} in the seven days before"
            yield Alarm(
                "Cannot assess",
                rule,
                mode,
                f"could not judge {share:.0%} of {judged} in a day{usual}",
                urgent=True,
            )


def judged_of(counts: Counter[str]) -> int:
    """How often the rule was asked for a judgement."""
    return sum(counts[name] for name in _JUDGED)


def cannot_share(counts: Counter[str]) -> float | None:
    """The part of it that could not be assessed; None when it was never asked."""
    judged = judged_of(counts)
    return counts["cannot-assess"] / judged if judged else None
