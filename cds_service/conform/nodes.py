"""The parts of all answers, each with its place: cards, suggestions, actions, links, reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.conform.model import Judge, Judged
from cds_service.conform.observed import Observed, Seen

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z-]{1,24}")


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON object of an answer. `parent` is the card of a suggestion, the suggestion of an action."""

    seen: Seen
    path: str
    value: dict[str, Any]
    parent: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.seen.place} {self.path}"


Nodes = Callable[[Observed], Iterator[Node]]
Find = Callable[[Node], Iterator[str]]
"""What is wrong with one node, in words that begin with the member."""


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def shape(value: Any) -> str:
    """A value without its content: `string of 12 characters`, `array of 3`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return f"string of {len(value)} characters"
    if isinstance(value, list):
        return f"array of {len(value)}"
    return "object" if isinstance(value, dict) else "number"


def word(value: Any) -> str:
    """A coded value: shown if it is a plain short word, else its shape."""
    return f"'{value}'" if isinstance(value, str) and _WORD.fullmatch(value) else shape(value)


def cards(observed: Observed) -> Iterator[Node]:
    for seen in observed.answers():
        document = seen.answer.document
        for index, value in _objects(document, "cards"):
            yield Node(seen, f"$.cards[{index}]", value, document)


def sources(observed: Observed) -> Iterator[Node]:
    for card in cards(observed):
        if isinstance(card.value.get("source"), dict):
            yield Node(card.seen, f"{card.path}.source", card.value["source"], card.value)


def topics(observed: Observed) -> Iterator[Node]:
    for source in sources(observed):
        if isinstance(source.value.get("topic"), dict):
            yield Node(source.seen, f"{source.path}.topic", source.value["topic"], source.value)


def _below(parents: Nodes, member: str) -> Nodes:
    def nodes(observed: Observed) -> Iterator[Node]:
        for parent in parents(observed):
            for index, value in _objects(parent.value, member):
                yield Node(parent.seen, f"{parent.path}.{member}[{index}]", value, parent.value)

    return nodes


def _objects(holder: dict[str, Any], member: str) -> Iterator[tuple[int, dict[str, Any]]]:
    values = holder.get(member)
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, dict):
            yield index, value


suggestions = _below(cards, "suggestions")
links = _below(cards, "links")
reasons = _below(cards, "overrideReasons")
suggested_actions = _below(suggestions, "actions")


def system_actions(observed: Observed) -> Iterator[Node]:
    for seen in observed.answers():
        document = seen.answer.document
        for index, value in _objects(document, "systemActions"):
            yield Node(seen, f"$.systemActions[{index}]", value, document)


def actions(observed: Observed) -> Iterator[Node]:
    yield from suggested_actions(observed)
    yield from system_actions(observed)


def having(nodes: Nodes, *members: str) -> Nodes:
    """Only the nodes that have one of the members."""

    def chosen(observed: Observed) -> Iterator[Node]:
        return (node for node in nodes(observed) if any(name in node.value for name in members))

    return chosen


def where(nodes: Nodes, wanted: Callable[[Node], bool]) -> Nodes:
    """Only the nodes that answer the question with yes."""
    return lambda observed: (node for node in nodes(observed) if wanted(node))


def each(nodes: Nodes, nothing: str) -> Callable[[Find], Judge]:
    """A judge out of a function that looks at one node; `nothing` says what was never seen."""

    def make(find: Find) -> Judge:
        def judge(observed: Observed) -> Judged:
            found = list(nodes(observed))
            if not found:
                cause = nothing if any(True for _ in observed.answers()) else observed.why_nothing
                return Judged(nothing=cause)
            told: dict[str, str] = {}
            for node in found:
                for problem in find(node):
                    # One place for each kind of problem: the same card comes back in dozens of answers.
                    kind = re.sub(r"\d+", "#", f"{node.seen.service} {node.path} {problem}")
                    told.setdefault(kind, f"{node.place}: {problem}")
            return Judged(len(found), tuple(told.values()))

        return judge

    return make
