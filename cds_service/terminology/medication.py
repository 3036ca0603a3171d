"""What a written order names: whole words, longest name first, in one pass over the text."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from cds_service.terminology.codes import Coding

MAX_TEXT = 10_000
_NONE: frozenset[str] = frozenset()
# Letters and digits apart, so that "warfarin5mg" and "vitamin D3" read the same with and without a space.
_words = re.compile(r"[^\W\d_]+|[0-9]+").findall
# The same for plain letters, in half the time.
_ascii_words = re.compile(r"[a-z]+|[0-9]+").findall


class DrugIdentity(msgspec.Struct, frozen=True):
    """Which drug sets an order belongs to, and how we know.

    `basis` is "code" also when a code is known and in no set (a look-alike); "none" means not recognised, which is
    never the same as "not that drug". `form_known` says whether a code fixed the dose form, so that a route guard
    can rely on it.
    """

    sets: frozenset[str]
    basis: Literal["code", "name", "none"]
    coding: Coding | None = None
    display: str | None = None
    form_known: bool = False


UNRECOGNISED = DrugIdentity(_NONE, "none")


class Negative(msgspec.Struct, frozen=True):
    """Words that take a match back.

    `removes` lists set ids, or "*" for every set. Empty: the phrase as a whole means none of our drugs ("calcium
    channel blocker"), but the same word elsewhere in the text still counts.
    A phrase of one word may end in "*": any word that begins so.
    """

    phrase: str
    removes: tuple[str, ...]
    reason: str
    applies_to: Literal["drugs", "texts"] = "drugs"


class NameLists(msgspec.Struct, frozen=True):
    """The names file: names of drugs, names of problems and procedures, and the words that take a match back."""

    drugs: dict[str, tuple[str, ...]]
    texts: dict[str, tuple[str, ...]]
    negatives: tuple[Negative, ...]


def load_names(path: Path) -> NameLists:
    """Read the names file."""
    return msgspec.json.decode(path.read_bytes(), type=NameLists)


class Match(msgspec.Struct, frozen=True):
    """What a text names, what it takes back, and the first name found in it."""

    sets: frozenset[str] = _NONE
    removed: frozenset[str] = _NONE
    name: str | None = None

    @property
    def remaining(self) -> frozenset[str]:
        """The sets that are named and not taken back."""
        return _NONE if "*" in self.removed else self.sets - self.removed


_NOTHING = Match()


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: list[str]
    text: str
    sets: frozenset[str] = _NONE
    removes: frozenset[str] = _NONE


class NameMatcher:
    """Finds names in text. Time grows with the length of the text alone; no pattern ever backtracks over it."""

    def __init__(self, names: Mapping[str, Collection[str]], negatives: Iterable[Negative] = ()) -> None:
        """Sort the phrases under their first word, longest first."""
        negatives = tuple(negatives)
        phrases = [_Phrase(words(name), name, sets=frozenset(sets)) for name, sets in names.items()]
        phrases += [
            _Phrase(words(each.phrase), each.phrase, removes=frozenset(each.removes))
            for each in negatives
            if not each.phrase.endswith("*")
        ]
        self._beginnings = tuple(
            (each.phrase[:-1].casefold(), frozenset(each.removes))
            for each in negatives
            if each.phrase.endswith("*")
        )
        self._stems = tuple(stem for stem, _ in self._beginnings)
        self._by_first_word: dict[str, tuple[_Phrase, ...]] = {}
        for phrase in sorted(phrases, key=lambda each: -len(each.words)):
            first = phrase.words[0]
            self._by_first_word[first] = (*self._by_first_word.get(first, ()), phrase)
        # The longest word of each: "oral calcium" cannot be in a text without "calcium", and "oral" is in many.
        self._telling = frozenset(max(phrase.words, key=len) for phrase in phrases)

    def find(self, *texts: str) -> Match:
        """Read all texts of one order together."""
        found: list[_Phrase] = []
        # The words of an order and the display of its code are often the same text, and most texts name nothing.
        for text in dict.fromkeys(texts):
            found += self._phrases(text)
        if not found:
            return _NOTHING
        return Match(
            _NONE.union(*(phrase.sets for phrase in found)),
            _NONE.union(*(phrase.removes for phrase in found)),
            next((phrase.text for phrase in found if phrase.sets), None),
        )

    def _phrases(self, text: str) -> Sequence[_Phrase]:
        plain = _plain(text)
        spoken = _words_of(plain)
        # Most texts name nothing.
        if self._telling.isdisjoint(spoken) and not any(map(plain.__contains__, self._stems)):
            return ()
        found = []
        place = 0
        while place < len(spoken):
            word = spoken[place]
            begins = word in self._by_first_word or word.startswith(self._stems)
            phrase = self._phrase_at(spoken, place) if begins else None
            if phrase:
                found.append(phrase)
            place += len(phrase.words) if phrase else 1
        return found

    def _phrase_at(self, text: list[str], place: int) -> _Phrase | None:
        word = text[place]
        for phrase in self._by_first_word.get(word, ()):
            if text[place : place + len(phrase.words)] == phrase.words:
                return phrase
        for beginning, removes in self._beginnings:
            if word.startswith(beginning):
                return _Phrase([word], word, removes=removes)
        return None


def words(text: str) -> list[str]:
    """The words of a text, lower case, without accents; what lies beyond the cap is not read."""
    return _words_of(_plain(text))


def _words_of(plain: str) -> list[str]:
    return _ascii_words(plain) if plain.isascii() else _words(plain)


def _plain(text: str) -> str:
    text = text[:MAX_TEXT]
    if not text.isascii():
        text = "".join(
            mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark)
        )
    return text.casefold()
