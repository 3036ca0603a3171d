"""Links and override reasons of cards (section 2.7)."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.conform.checks.finders import array_of_objects, boolean, coded, texts, told, url
from cds_service.conform.model import Book, Level
from cds_service.conform.nodes import Find, Node, Nodes, cards, each, having, links, reasons

BOOK = Book()


def _add(id_: str, text: str, find: Find, nodes: Nodes, nothing: str) -> None:
    BOOK.add(id_, Level.SHALL, text, each(nodes, nothing)(find))


_HAVE_REASONS = having(cards, "overrideReasons")
_HAVE_LINKS = having(cards, "links")
_NO_REASON = "no override reason was seen"
_NO_LINK = "no link was seen"
_add(
    "C069-reasons-array",
    "`overrideReasons`, if any, is an array of objects.",
    array_of_objects("overrideReasons"),
    _HAVE_REASONS,
    _NO_REASON,
)
_add(
    "C069-override-coding",
    "An override reason has code, system and display.",
    texts("code", "system", "display"),
    reasons,
    _NO_REASON,
)
_add(
    "C071-links-array",
    "`links`, if any, is an array of objects.",
    array_of_objects("links"),
    _HAVE_LINKS,
    _NO_LINK,
)
_add("C071-link-label", "A link has a label.", texts("label"), links, _NO_LINK)


def _app_context(node: Node) -> Iterator[str]:
    if node.value.get("type") != "smart":
        yield ".appContext: on a link that is not smart"
    elif not isinstance(node.value["appContext"], str):
        yield told(node, "appContext")


_add("C071-link-url", "A link has an absolute URL.", url("url"), links, _NO_LINK)
_add("C071-link-type", "A link is absolute or smart.", coded("type", ("absolute", "smart")), links, _NO_LINK)
_add(
    "C072-app-context",
    "`appContext` is text, and only on a smart link.",
    _app_context,
    having(links, "appContext"),
    "no link has an appContext",
)
_add(
    "C073-autolaunchable",
    "`autolaunchable`, if any, is a boolean.",
    boolean("autolaunchable"),
    having(links, "autolaunchable"),
    "no link is autolaunchable",
)
