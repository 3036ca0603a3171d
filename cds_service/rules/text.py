"""Card templates: fills by name, cut to their lengths, escaped for Markdown where they enter it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from cds_service.facts.model import Facts
from cds_service.rules.answer import Answer
from cds_service.rules.rule import FillSpec, Line

SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters."""
ELLIPSIS = "…"
_FIELD = re.compile(r"\{(\w+)\}")
_MARKDOWN = str.maketrans(
    {
        "\\": "\\\\",
        "`": "\\`",
        "*": "\\*",
        "_": "\\_",
        "[": "\\[",
        "]": "\\]",
        "#": "\\#",
        "|": "\\|",
        "~": "\\~",
        "!": "\\!",
        "@": "\\@",
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)
_LIST_MARK = re.compile(r"^(?:\d{1,9}(?=[.)](?:\s|$))|(?=[-+](?:[-+\s]|$)))")
_LONGEST_FILL = 600


@lru_cache(maxsize=4096)
def parts(template: str) -> tuple[str, ...]:
    """The template taken apart: literal, fill name, literal, ... (templates are ours, never a caller's)."""
    return tuple(_FIELD.split(template))


def fill_names(template: str) -> tuple[str, ...]:
    return parts(template)[1::2]


def plain(text: str) -> str:
    """One line without control characters: what an EHR sends must not break out of its place."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; an ellipsis counts as one."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def escape(text: str) -> str:
    """Text that renders as itself in GitHub Flavored Markdown: no tag, link, heading, list or emphasis."""
    escaped = _LIST_MARK.sub(r"\g<0>\\", plain(text).translate(_MARKDOWN))
    return escaped.replace("://", "\\://").replace("www.", "www\\.").replace("WWW.", "WWW\\.")


class Writer:
    """Renders templates for one set of facts (one order in focus); each fill is made once."""

    def __init__(self, fills: Mapping[str, FillSpec], facts: Facts, *, markdown: bool) -> None:
        self._fills = fills
        self._facts = facts
        self._markdown = markdown
        self._made: dict[str, str | tuple[str, ...]] = {}

    def _make(self, name: str) -> str | tuple[str, ...]:
        if name not in self._made:
            self._made[name] = self._fills[name].make(self._facts)
        return self._made[name]

    def summary(self, template: str) -> str:
        """Plain text of at most 139 characters, each fill cut to its own limit."""
        pieces = list(parts(template))
        for index in range(1, len(pieces), 2):
            value = self._make(pieces[index])
            text = value if isinstance(value, str) else ", ".join(value)
            pieces[index] = cut(plain(text), self._fills[pieces[index]].limit)
        return cut("".join(pieces), SUMMARY_LIMIT)

    def lines(self, line: Line) -> list[str]:
        """The line, one per item when a fill gives several; none when it does not apply or a fill is empty."""
        if line.when is not None and line.when.evaluate(self._facts).answer is not Answer.MET:
            return []
        pieces = parts(line.text)
        rows = [""]
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                rows = [row + piece for row in rows]
                continue
            value = self._make(piece)
            if not value:
                return []
            if isinstance(value, str):
                rows = [row + self.safe(value) for row in rows]
            else:
                rows = [row + self.safe(item) for row in rows for item in value]
        return rows

    def safe(self, text: str) -> str:
        """A piece of EHR-derived text, fit for the detail."""
        text = cut(plain(text), _LONGEST_FILL)
        return escape(text) if self._markdown else text
