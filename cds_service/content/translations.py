"""The content check of the translations: complete, faithful in their places and numbers, short enough, admissible."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog

from cds_service.content.catalogue import folders
from cds_service.content.find import unique_contents, unique_rules
from cds_service.content.problem import Problem
from cds_service.content.rule_check import longest
from cds_service.content.wording import CHECKED_LANGUAGES, violations
from cds_service.localise.catalogues import DOMAIN, language_for, locale_folders, read_catalogue
from cds_service.localise.language import CONVENTIONAL, Language
from cds_service.rules.service import Content, Service
from cds_service.rules.suggestions import RemoveDraft
from cds_service.rules.text import SUMMARY_LIMIT, fill_names, parts

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def translation_problems(services: Sequence[Service]) -> Iterator[Problem]:
    """Everything that is wrong with the catalogues of the engine and of the content packages."""
    tags: set[str] = set()
    for folder, strings in folders(services):
        yield from _template(folder, strings)
        for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
            tag = path.parent.parent.name.replace("_", "-")
            tags.add(tag)
            yield from _catalogue(path, tag, strings, services)
    for tag in sorted(tags):
        for content in unique_contents(services):
            language = language_for(tag, locale_folders(content), CONVENTIONAL)
            yield from _lengths(content, services, language)


def _template(folder: Path, strings: Catalog) -> Iterator[Problem]:
    path = folder / f"{DOMAIN}.pot"
    known = {entry.id for entry in read_catalogue(path)} if path.is_file() else {""}
    if known != {entry.id for entry in strings}:
        text = "It is not up to date; run `cds-service export catalogue`."
        yield Problem("catalogue-old", f"{folder.parent.name} {DOMAIN}.pot", text)


def _catalogue(path: Path, tag: str, strings: Catalog, services: Sequence[Service]) -> Iterator[Problem]:
    translated = read_catalogue(path)
    for entry in strings:
        if not entry.id:
            continue
        english = str(entry.id)
        place = f"translation {tag}, {english[:60]!r}"
        found = translated.get(english)
        if found is None or not found.string:
            yield Problem("translation-missing", place, "There is no translation.")
            continue
        if found.fuzzy:
            yield Problem("translation-fuzzy", place, "The translation is marked as doubtful (fuzzy).")
        yield from entry_problems(place, english, str(found.string))
        if tag in CHECKED_LANGUAGES:
            for content in unique_contents(services):
                for ban, words in violations(str(found.string), content.name, tag):
                    yield Problem("never-say", place, f"{ban.id}: {words!r}; the service {ban.says}.")
    for entry in translated:
        if entry.id and strings.get(entry.id) is None:
            yield Problem("translation-unknown", f"translation {tag}", f"Nothing prints {entry.id!r}.")
    if tag not in CHECKED_LANGUAGES:
        text = "There are no rules of wording for this language (content/wording.py)."
        yield Problem("translation-unchecked", f"translation {tag}", text)


def entry_problems(place: str, english: str, translation: str) -> Iterator[Problem]:
    """Places and numbers that the translation adds, loses or changes."""
    if Counter(fill_names(english)) != Counter(fill_names(translation)):
        yield Problem("translation-places", place, f"Its places in braces are not those of {english!r}.")
    if any(brace in literal for literal in parts(translation)[::2] for brace in "{}"):
        yield Problem("template-broken", place, f"A brace belongs to no place: {translation!r}.")
    if _numbers(english) != _numbers(translation):
        yield Problem("translation-numbers", place, f"Its numbers are not those of {english!r}.")


def _numbers(text: str) -> Counter[str]:
    """The numbers of a text, whatever marks they are written with."""
    return Counter(re.sub("[.,]", "", number) for number in _NUMBER.findall("".join(parts(text)[::2])))


def _lengths(content: Content, services: Sequence[Service], language: Language) -> Iterator[Problem]:
    for text in sorted(_summaries(content, services)):
        length = longest(language.translated(text), content, language)
        if length > SUMMARY_LIMIT:
            place = f"translation {language.tag}, {text[:60]!r}"
            told = f"{length} characters with the longest fills; {SUMMARY_LIMIT} are allowed."
            yield Problem("summary-too-long", place, told)


def _summaries(content: Content, services: Sequence[Service]) -> set[str]:
    """Every text with the limits of a summary: the summaries, and the labels that remove a draft."""
    found = {gap.text.summary for gap in content.common_gaps}
    for rule in unique_rules(service for service in services if service.content is content):
        found.add(rule.when_unknown.summary)
        for tier in rule.tiers:
            found.add(tier.summary)
            found |= {each.label for each in tier.suggestions if isinstance(each, RemoveDraft)}
    return found
