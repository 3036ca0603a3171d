"""Runs a call down the same line as a real one, and tells two runs apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cds_service import pipeline
from cds_service.engine import Engine
from cds_service.errors import CdsError

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
ORDER = ("fires", "cannot-assess", "suppressed", "clear", "not-triggered")
"""Outcomes, the most telling first."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The trace of a call, or why it was refused."""

    trace: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    refusal: str = ""

    @property
    def cards(self) -> list[dict[str, Any]]:
        return list(self.trace.get("cards", ()))

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The rules' outcomes, the most telling first; else as the rules are numbered."""
        return sorted(self.trace.get("outcomes", ()), key=lambda each: ORDER.index(each["outcome"]))

    @property
    def counts(self) -> dict[str, int]:
        """Outcome -> how often."""
        seen = Counter(each["outcome"] for each in self.trace.get("outcomes", ()))
        return {name: seen[name] for name in ORDER if seen[name]}

    @property
    def milliseconds(self) -> float:
        return float(sum(self.trace.get("timings", {}).values()))


async def evaluate(engine: Engine, service: str, body: bytes) -> Evaluated:
    """Trace one call; nothing of it is recorded."""
    try:
        reply = await pipeline.trace(engine, service, {}, body)
    except CdsError as error:
        return Evaluated(status=error.status, refusal=error.message)
    return Evaluated(msgspec.json.decode(reply.body))


def differences(before: Evaluated, after: Evaluated) -> list[str]:
    """What the second run answers otherwise, in words; empty when nothing changed."""
    if before.refusal or after.refusal:
        said = [each.refusal or "was answered" for each in (before, after)]
        return [f"Before: {said[0]} Now: {said[1]}"] if said[0] != said[1] else []
    return [*_outcomes(before, after), *_cards(before, after)]


def _outcomes(before: Evaluated, after: Evaluated) -> Iterator[str]:
    old = {(o["rule"], o["order"]): _word(o) for o in before.outcomes}
    for outcome in after.outcomes:
        was, now = old.get((outcome["rule"], outcome["order"]), "not evaluated"), _word(outcome)
        if was != now:
            yield f"Rule {outcome['rule']}: {was} before, {now} now."


def _word(outcome: dict[str, Any]) -> str:
    name = str(outcome["outcome"]).replace("-", " ")
    return f"{name} ({outcome['indicator']})" if outcome["indicator"] else name


def _cards(before: Evaluated, after: Evaluated) -> Iterator[str]:
    old, new = _by_topic(before), _by_topic(after)
    for topic in [*old, *(topic for topic in new if topic not in old)]:
        if topic not in new:
            yield f"Card gone: {old[topic]['summary']}"
        elif topic not in old:
            yield f"New card: {new[topic]['summary']}"
        elif old[topic]["summary"] != new[topic]["summary"]:
            yield f"Card now says: {new[topic]['summary']}"
        elif old[topic].get("detail") != new[topic].get("detail"):
            yield from _lines(old[topic].get("detail", ""), new[topic].get("detail", ""))


def _lines(before: str, after: str) -> Iterator[str]:
    """Lines of a card's detail that went or came."""
    old, new = before.splitlines(), after.splitlines()
    yield from (f"The card no longer says: {_words(line)}" for line in old if line not in new)
    yield from (f"The card now says: {_words(line)}" for line in new if line not in old)


def _words(line: str) -> str:
    """A line of Markdown as it is read."""
    return _ESCAPED.sub(r"\1", line.removeprefix("- ").replace("**", ""))


def _by_topic(run: Evaluated) -> dict[str, dict[str, Any]]:
    return {card["source"]["topic"]["code"]: card for card in run.cards}
