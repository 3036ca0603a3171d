"""Catalogues read at start-up, and the language of a client: `de-AT`, else `de`, else English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from cds_service.localise.language import ENGLISH, Language

DOMAIN = "cards"
ENGINE_LOCALES = Path(__file__).resolve().parent.parent / "locales"
_SKELETONS = {"year": "y", "month": "yMMM"}


class HasLocales(Protocol):
    """A content package that may bring catalogues of its own."""

    @property
    def locales(self) -> Path | None: ...


def catalogue_file(folder: Path, tag: str) -> Path:
    """Where the catalogue of a language lies: `<folder>/de/LC_MESSAGES/cards.po`."""
    return folder / tag.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


def locale_folders(content: HasLocales) -> tuple[Path, ...]:
    """The engine's catalogues, then those of a content package."""
    return (ENGINE_LOCALES,) if content.locales is None else (ENGINE_LOCALES, content.locales)


def read_catalogue(path: Path) -> Catalog:
    """A catalogue as Babel reads it."""
    with path.open("rb") as file:
        return read_po(file, domain=DOMAIN)


@lru_cache(maxsize=64)
def messages(path: Path) -> Mapping[str, str]:
    """English -> translation, for everything that is translated and not marked fuzzy."""
    return {
        str(entry.id): str(entry.string)
        for entry in read_catalogue(path)
        if entry.id and entry.string and not entry.fuzzy
    }


def chain(tag: str) -> Iterator[str]:
    """`de-AT`, then `de`: from the most special to the most general form of a language tag."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def known_tag(tag: str, folders: Iterable[Path]) -> str | None:
    """The part of the tag that some folder has a catalogue for; `en` needs none; None for any other language."""
    folders = tuple(folders)
    for each in chain(tag):
        if each == ENGLISH.tag or any(catalogue_file(folder, each).is_file() for folder in folders):
            return each
    return None


def language_for(tag: str, folders: Iterable[Path], units: str) -> Language:
    """The language of a client.

    Args:
        tag: Language tag of the profile (`de-AT`).
        folders: Where catalogues lie; a later folder wins, so that content may reword the engine.
        units: `conventional` or `SI`.
    """
    folders = tuple(folders)
    known = known_tag(tag, folders)
    if known is None or known == ENGLISH.tag:
        return replace(ENGLISH, units=units)
    found: dict[str, str] = {}
    for each in reversed(tuple(chain(known))):
        for folder in folders:
            if (path := catalogue_file(folder, each)).is_file():
                found.update(messages(path))
    locale = _locale(tag)
    symbols = locale.number_symbols["latn"]
    marks = {ord(","): str(symbols["group"]), ord("."): str(symbols["decimal"])}
    dates = _dates(locale)
    return Language(known, found, marks, dates, dates.longest, units)


def _locale(tag: str) -> Locale:
    """CLDR's data for the most special form of the tag that it knows."""
    for each in chain(tag):
        try:
            return Locale.parse(each, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise ValueError(f"no number and date formats are known for the language {tag}")


class _Dates:
    """Dates as CLDR writes them, with the month in words, so that day and month cannot be swapped."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self._write = lru_cache(maxsize=4096)(self._written)
        self.longest = max(len(self(date(2000, month, 28), "day")) for month in range(1, 13))

    def __call__(self, day: date, precision: str) -> str:
        return self._write(day, _SKELETONS.get(precision, "yMMMd"))

    def _written(self, day: date, skeleton: str) -> str:
        return format_skeleton(skeleton, day, locale=self._locale)


@lru_cache(maxsize=64)
def _dates(locale: Locale) -> _Dates:
    return _Dates(locale)
