"""The content check of value sets, catalogue and citations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from cds_service.content.problem import Problem
from cds_service.content.rule_check import TAGS
from cds_service.rules.service import Content
from cds_service.terminology.codes import problem_with
from cds_service.terminology.manifest import folder_problems
from cds_service.terminology.valueset import ValueSet

Disjoint = Sequence[tuple[str, str]]


def code_problems(content: Content, folder: Path | None, disjoint: Disjoint) -> Iterator[Problem]:
    """Everything that is wrong with the codes of one content package."""
    if folder is not None:
        for text in folder_problems(folder):
            yield Problem("value-set-file", f"folder {folder.name}", f"{text}.")
    every = (*content.value_sets, *(exclusion.value_set for exclusion in content.exclusions))
    for ident, count in Counter(each.id for each in every).items():
        if count > 1:
            yield Problem("value-set-twice", f"value set {ident}", f"{count} value sets have this id.")
    for value_set in every:
        yield from _inside(value_set)
    yield from _conflicts(content)
    yield from _overlaps(content, disjoint)
    yield from _catalogue(content)


def _inside(value_set: ValueSet) -> Iterator[Problem]:
    place = f"value set {value_set.id}"
    for coding in value_set.codings:
        if text := problem_with(coding):
            yield Problem("code-malformed", place, f"{text}.")
    for (system, code), count in Counter((each.system, each.code) for each in value_set.codings).items():
        if count > 1:
            yield Problem("code-twice", place, f"{code} of {system} is listed {count} times.")


def _conflicts(content: Content) -> Iterator[Problem]:
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for value_set in content.value_sets:
        for coding in value_set.codings:
            holders[coding.system, coding.code].add(value_set.id)
    for exclusion in content.exclusions:
        for coding in exclusion.value_set.codings:
            for ident in sorted(holders[coding.system, coding.code] & exclusion.removes):
                text = f"{coding.code} ({coding.display}) is listed in {ident} and also said not to be in it."
                yield Problem("code-conflict", f"value set {exclusion.value_set.id}", text)


def _overlaps(content: Content, disjoint: Disjoint) -> Iterator[Problem]:
    """Two analytes never share a code: a result would count as both."""
    codes = {each.id: {(c.system, c.code) for c in each.codings} for each in content.value_sets}
    pairs = list(disjoint)
    for one, other in combinations(content.analytes, 2):
        pairs += [(first, second) for first in one.value_sets for second in other.value_sets]
    for first, second in dict.fromkeys(pairs):
        for _, code in sorted(codes.get(first, set()) & codes.get(second, set())):
            text = f"{code} is also in {second}; the two must not share a code."
            yield Problem("code-overlap", f"value set {first}", text)


def _catalogue(content: Content) -> Iterator[Problem]:
    for key, count in Counter(entry.key for entry in content.catalogue).items():
        if count > 1:
            yield Problem("catalogue-key-twice", f"catalogue {key}", f"{count} entries have this key.")
    for entry in content.catalogue:
        if entry.coding is not None and (text := problem_with(entry.coding)):
            yield Problem("code-malformed", f"catalogue {entry.key}", f"{text}.")


def citation_problems(content: Content) -> Iterator[Problem]:
    for key, count in Counter(citation.key for citation in content.citations).items():
        if count > 1:
            yield Problem("citation-key-twice", f"citation {key}", f"{count} citations have this key.")
    for citation in content.citations:
        if citation.tag not in TAGS:
            text = f"Its tag {citation.tag!r} is not one of {', '.join(TAGS)}: how was it read?"
            yield Problem("citation-tag", f"citation {citation.key}", text)
        if not citation.label.strip():
            yield Problem("text-empty", f"citation {citation.key}", "It has no words to print.")
