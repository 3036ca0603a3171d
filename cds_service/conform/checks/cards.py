"""Cards and their sources (section 2.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds_service.conform.checks.finders import coded, string, texts, told, url, uuid
from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.nodes import (
    Find,
    Node,
    Nodes,
    cards,
    each,
    having,
    is_text,
    shape,
    sources,
    topics,
    where,
)
from cds_service.conform.observed import Observed

BOOK = Book()
_NO_CARD = "no card was seen; give --body with a request that has one"
_SUMMARY_LIMIT = 140
_TAG = re.compile(r"<[A-Za-z/!][^>]*>")
_AUTOLINK = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*>|<[^\s<>@]+@[^\s<>]+>")
INDICATORS = ("info", "warning", "critical")


@BOOK.check(
    "C050-cards-array",
    Level.SHALL,
    "An answer of 200 is an object with an array `cards` of objects; nothing to say is an empty array.",
)
def _array(observed: Observed) -> Judged:
    found = [seen for seen in observed.seen if seen.kind == "call" and seen.answer.status == 200]  # noqa: PLR2004
    problems = []
    for seen in found:
        document = seen.answer.document
        if not isinstance(document, dict):
            problems.append(f"{seen.place}: the body is not a JSON object")
        elif not isinstance(document.get("cards"), list):
            told = shape(document["cards"]) if "cards" in document else "missing"
            problems.append(f"{seen.place} $.cards: {told}")
        else:
            wrong = [(i, v) for i, v in enumerate(document["cards"]) if not isinstance(v, dict)]
            problems += [f"{seen.place} $.cards[{i}]: {shape(v)}" for i, v in wrong]
    return Judged(len(found), tuple(problems), observed.why_nothing)


def _add(
    id_: str,
    level: Level,
    text: str,
    find: Find,
    nodes: Nodes = cards,
    nothing: str = _NO_CARD,
    **more: Any,
) -> None:
    BOOK.add(id_, level, text, each(nodes, nothing)(find), **more)


def _length(node: Node) -> Iterator[str]:
    if len(node.value["summary"]) >= _SUMMARY_LIMIT:
        yield f".summary: {len(node.value['summary'])} characters, at most {_SUMMARY_LIMIT - 1}"


def _source(node: Node) -> Iterator[str]:
    source = node.value.get("source")
    if not isinstance(source, dict):
        yield told(node, "source")
    elif not is_text(source.get("label")):
        yield ".source.label: missing or no text"


def _no_topic(node: Node) -> Iterator[str]:
    if "topic" not in node.value:
        yield ".topic: missing"


def _topic_object(node: Node) -> Iterator[str]:
    if not isinstance(node.value["topic"], dict):
        yield told(node, "topic")


def _html(node: Node) -> Iterator[str]:
    found = _TAG.search(_AUTOLINK.sub("", node.value["detail"]))
    if found:
        yield ".detail: holds HTML, which clients may drop or run"


_add("C052-summary", Level.SHALL, "A card has a summary, as text.", texts("summary"))
_add(
    "C052-summary-under-140",
    Level.SHALL,
    "A summary has fewer than 140 characters.",
    _length,
    where(cards, lambda node: isinstance(node.value.get("summary"), str)),
)
_add(
    "C053-indicator",
    Level.SHALL,
    "An indicator is info, warning or critical.",
    coded("indicator", INDICATORS),
)
_add("C054-source-label", Level.SHALL, "A card has a source with a label.", _source)
_add(
    "C055-source-url",
    Level.SHALL,
    "`source.url`, if any, is absolute.",
    url("url"),
    having(sources, "url"),
    "no source has a URL",
)
_add(
    "C056-source-icon",
    Level.SHOULD,
    "`source.icon`, if any, is an absolute URL.",
    url("icon"),
    having(sources, "icon"),
    "no source has an icon",
)
_add(
    "C057-topic-given",
    Level.MAY,
    "A source has a topic: some clients need it, and overrides are tied to it.",
    _no_topic,
    sources,
)
_add(
    "C057-topic-object",
    Level.SHALL,
    "`source.topic`, if any, is an object.",
    _topic_object,
    having(sources, "topic"),
    "no source has a topic",
)
_add(
    "C057-topic-coding",
    Level.SHALL,
    "A topic has a code and a system.",
    texts("code", "system"),
    topics,
    "no source has a topic",
)
_add(
    "C058-detail",
    Level.SHALL,
    "`detail`, if any, is text.",
    string("detail"),
    having(cards, "detail"),
    "no card has a detail",
)
_add(
    "C058-no-html",
    Level.SHOULD,
    "`detail` is Markdown without HTML.",
    _html,
    # What markup of the request becomes is judged elsewhere.
    where(
        having(cards, "detail"),
        lambda node: isinstance(node.value["detail"], str) and node.seen.probe != "hostile-text",
    ),
    "no card has a detail",
)
_add(
    "C059-card-uuid",
    Level.SHOULD,
    "A card's `uuid`, if any, is a UUID.",
    uuid,
    having(cards, "uuid"),
    "no card has a uuid",
)


def _once(nodes: Nodes, what: str, nothing: str) -> Judge:
    """No uuid appears on two of these in one run."""

    def judge(observed: Observed) -> Judged:
        found = [node for node in nodes(observed) if isinstance(node.value["uuid"], str)]
        first: dict[str, Node] = {}
        problems = [
            f"{node.place}: the uuid of another {what}"
            for node in found
            if first.setdefault(node.value["uuid"], node) is not node and node.seen.probe != "repeat"
        ]
        return Judged(
            len(found), tuple(problems), nothing if observed.of("complete") else observed.why_nothing
        )

    return judge


BOOK.add(
    "C059-uuid-once",
    Level.SHALL,
    "Every card has a uuid of its own, so that feedback finds it; the same event twice may repeat it.",
    _once(having(cards, "uuid"), "card", "no card has a uuid"),
)
