"""Card templates: fills by name, cut to their lengths, escaped for Markdown where they enter it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from cds_service.facts.model import Facts
from cds_service.localise.language import ENGLISH, Language
from cds_service.localise.text import Text, cut, told
from cds_service.rules.answer import Answer
from cds_service.rules.rule import FillSpec, Line

SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters."""
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


def escape(text: str) -> str:
    """Text that renders as itself in GitHub Flavored Markdown: no tag, link, heading, list or emphasis."""
    escaped = _LIST_MARK.sub(r"\g<0>\\", plain(text).translate(_MARKDOWN))
    return escaped.replace("://", "\\://").replace("www.", "www\\.").replace("WWW.", "WWW\\.")


class Writer:
    """Renders templates for one set of facts (one order in focus) in one language; each fill is made once."""

    def __init__(
        self, fills: Mapping[str, FillSpec], facts: Facts, *, markdown: bool, language: Language = ENGLISH
    ) -> None:
        self._language = language
        self._fills = fills
        self._facts = facts
        self._markdown = markdown
        self._made: dict[str, tuple[str, ...]] = {}

    def _make(self, name: str) -> tuple[str, ...]:
        """The fill as the reader's words: several where it has several lines, none where it has nothing to say."""
        if name not in self._made:
            words = self._fills[name].make(self._facts)
            several = words if isinstance(words, tuple) else () if words is None else (words,)
            self._made[name] = tuple(filter(None, (told(each, self._language) for each in several)))
        return self._made[name]

    def words(self, text: Text) -> str:
        """A text in the reader's language."""
        return told(text, self._language)

    def translated(self, words: str) -> str:
        """A fixed text of ours in the reader's language."""
        return self._language.translated(words)

    def summary(self, template: str) -> str:
        """Plain text of at most 139 characters, each fill cut to its own limit."""
        pieces = list(parts(self._language.translated(template)))
        for index in range(1, len(pieces), 2):
            text = ", ".join(self._make(pieces[index]))
            pieces[index] = cut(plain(text), self._fills[pieces[index]].room(self._language))
        return cut("".join(pieces), SUMMARY_LIMIT)

    def lines(self, line: Line) -> list[str]:
        """The line, one per item when a fill gives several; none when it does not apply or a fill is empty."""
        if line.when is not None and line.when.evaluate(self._facts).answer is not Answer.MET:
            return []
        pieces = parts(self._language.translated(line.text))
        rows = [""]
        for index, piece in enumerate(pieces):
            if index % 2 == 0:
                rows = [row + piece for row in rows]
                continue
            words = self._make(piece)
            if not words:
                return []
            rows = [row + self.safe(each) for row in rows for each in words]
        return rows

    def safe(self, text: str) -> str:
        """A piece of EHR-derived text, fit for the detail."""
        text = cut(plain(text), _LONGEST_FILL)
        return escape(text) if self._markdown else text
