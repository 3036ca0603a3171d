"""Suggestions of cards, and extensions anywhere (sections 2.7 and 2.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.conform.checks.finders import array_of_objects, boolean, coded, texts, told, uuid
from cds_service.conform.model import Book, Level
from cds_service.conform.nodes import (
    Find,
    Node,
    Nodes,
    cards,
    each,
    having,
    suggestions,
    where,
)
from cds_service.conform.observed import Observed

BOOK = Book()
_NO_SUGGESTION = "no suggestion was seen"
_SELECTION = ("at-most-one", "any")
_ALL_SELECTION = ("all", "any", "at-most-one")


def _add(
    id_: str, level: Level, text: str, find: Find, nodes: Nodes, nothing: str = _NO_SUGGESTION, **more: Any
) -> None:
    BOOK.add(id_, level, text, each(nodes, nothing)(find), **more)


def _needs_behavior(node: Node) -> Iterator[str]:
    if "selectionBehavior" not in node.value:
        yield ".selectionBehavior: missing beside suggestions"


def _count(node: Node) -> Iterator[str]:
    values = [s.get("isRecommended") for s in node.value["suggestions"] if isinstance(s, dict)]
    if sum(1 for value in values if value is True) > 1:
        yield ".suggestions: more than one is recommended although at most one can be chosen"


_HAVE_SUGGESTIONS = having(cards, "suggestions")
_add(
    "C060-selection-behavior-given",
    Level.SHALL,
    "A card with suggestions has a selectionBehavior.",
    _needs_behavior,
    _HAVE_SUGGESTIONS,
)
_add(
    "C061-selection-behavior",
    Level.SHALL,
    "selectionBehavior is at-most-one or any.",
    coded("selectionBehavior", _SELECTION),
    having(cards, "selectionBehavior"),
)
_add(
    "C062-suggestions-array",
    Level.SHALL,
    "`suggestions`, if any, is an array of objects.",
    array_of_objects("suggestions"),
    _HAVE_SUGGESTIONS,
)
_add("C062-suggestion-label", Level.SHALL, "A suggestion has a label.", texts("label"), suggestions)
_add(
    "C062-suggestion-uuid",
    Level.SHOULD,
    "A suggestion's `uuid`, if any, is a UUID.",
    uuid,
    having(suggestions, "uuid"),
    "no suggestion has a uuid",
)
_add(
    "C063-recommended-boolean",
    Level.SHALL,
    "`isRecommended`, if any, is a boolean.",
    boolean("isRecommended"),
    having(suggestions, "isRecommended"),
    "no suggestion has isRecommended",
)
_add(
    "C063-recommended-once",
    Level.SHALL,
    "At most one suggestion is recommended when at most one can be chosen.",
    _count,
    where(
        _HAVE_SUGGESTIONS,
        lambda node: (
            node.value.get("selectionBehavior") == "at-most-one"
            and isinstance(node.value["suggestions"], list)
        ),
    ),
    "no card lets at most one suggestion be chosen",
)
_add(
    "C020-no-action-selection",
    Level.SHALL,
    "actionSelectionBehavior is not used before the client is known to understand it.",
    lambda node: iter([".actionSelectionBehavior: given"] if "actionSelectionBehavior" in node.value else []),
    suggestions,
)
_add(
    "C074-action-selection",
    Level.SHALL,
    "actionSelectionBehavior, if any, is all, any or at-most-one.",
    coded("actionSelectionBehavior", _ALL_SELECTION),
    having(suggestions, "actionSelectionBehavior"),
    "no suggestion has actionSelectionBehavior",
)


def _extension(node: Node) -> Iterator[str]:
    value = node.value["extension"]
    if not isinstance(value, dict):
        yield told(node, "extension")
    elif not all("." in name for name in value):
        yield ".extension: a key is not in reverse domain notation"


def _anything(observed: Observed) -> Iterator[Node]:
    """Objects of ours, not of FHIR: entries of discovery, answers, cards, suggestions."""
    for seen in [*observed.of("discovery"), *observed.answers()]:
        if isinstance(seen.answer.document, dict):
            yield Node(seen, "$", seen.answer.document, {})
    for seen in observed.of("discovery"):
        for entry in observed.entries:
            yield Node(seen, entry.place, entry.value, {})
    yield from cards(observed)
    yield from suggestions(observed)


_add(
    "C090-extension-object",
    Level.SHOULD,
    "`extension`, if any, is an object with keys in reverse domain notation.",
    _extension,
    having(_anything, "extension"),
    "no extension was seen",
)
