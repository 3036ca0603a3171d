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
_MARKDOWN = (
    ("\\", "\\\\"),
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    *((mark, f"\\{mark}") for mark in "`*_[]#|~!@"),
    ("://", "\\://"),
    ("www.", "www\\."),
    ("WWW.", "WWW\\."),
)
"""What is replaced, in this order: backslash and ampersand first, as later replacements write them."""
_LIST_MARK = re.compile(r"^(?:\d{1,9}(?=[.)](?:\s|$))|(?=[-+](?:[-+\s]|$)))")
_LONGEST_FILL = 600


@lru_cache(maxsize=4096)
def parts(template: str) -> tuple[str, ...]:
    """The template taken apart: literal, fill name, literal, ... (templates are ours, never a caller's)."""
    return tuple(_FIELD.split(template))


def fill_names(template: str) -> tuple[str, ...]:
    return parts(template)[1::2]


@lru_cache(maxsize=4096)
def opened(template: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The template up to its first fill, then each fill name with the literal after it."""
    first, *rest = parts(template)
    return first, tuple(zip(rest[::2], rest[1::2], strict=True))


def plain(text: str) -> str:
    """One line without control characters: what an EHR sends must not break out of its place."""
    if text.isprintable() and "  " not in text and text == text.strip():
        return text  # as nearly all text is
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def escape(text: str) -> str:
    """Text that renders as itself in GitHub Flavored Markdown: no tag, link, heading, list or emphasis."""
    return _escaped(plain(text))


def _escaped(text: str) -> str:
    for mark, escaped in _MARKDOWN:
        if mark in text:  # far cheaper than a replacement that finds nothing
            text = text.replace(mark, escaped)
    opens_a_list = text[:1] in "-+" or text[:1].isdecimal()
    return _LIST_MARK.sub(r"\g<0>\\", text) if opens_a_list else text


class Writer:
    """Renders templates for one set of facts (one order in focus) in one language; each fill is made once."""

    def __init__(
        self, fills: Mapping[str, FillSpec], facts: Facts, *, markdown: bool, language: Language = ENGLISH
    ) -> None:
        self._language = language
        self._fills = fills
        self._facts = facts
        self._markdown = markdown
        self._made: dict[str, list[str]] = {}

    def _make(self, name: str) -> list[str]:
        """The fill as the reader's words: several where it has several lines, none where it has nothing to say."""
        made = self._made.get(name)
        if made is None:
            words = self._fills[name].make(self._facts)
            several = words if isinstance(words, tuple) else () if words is None else (words,)
            self._made[name] = made = [text for each in several if (text := told(each, self._language))]
        return made

    def words(self, text: Text) -> str:
        """A text in the reader's language."""
        return told(text, self._language)

    def translated(self, words: str) -> str:
        """A fixed text of ours in the reader's language."""
        return self._language.translated(words)

    def summary(self, template: str) -> str:
        """Plain text of at most 139 characters, each fill cut to its own limit."""
        text, fills = opened(self._language.translated(template))
        for name, literal in fills:
            words = plain(", ".join(self._make(name)))
            text += cut(words, self._fills[name].room(self._language)) + literal
        return cut(text, SUMMARY_LIMIT)

    def lines(self, line: Line) -> list[str]:
        """The line, one per item when a fill gives several; none when it does not apply or a fill is empty."""
        if line.when is not None and line.when.evaluate(self._facts).answer is not Answer.MET:
            return []
        first, fills = opened(self._language.translated(line.text))
        rows = [first]
        for name, literal in fills:
            words = [self.safe(each) + literal for each in self._make(name)]
            if not words:
                return []
            rows = [row + each for row in rows for each in words]
        return rows

    def safe(self, text: str) -> str:
        """A piece of EHR-derived text, fit for the detail."""
        text = cut(plain(text), _LONGEST_FILL)
        return _escaped(text) if self._markdown else text
