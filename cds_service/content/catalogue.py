"""The strings of the cards, for translators: gathered from the rule records and from the code, with Babel.

A text in a rule record is its own key; a text in code is the first argument of `Message(...)`. The engine and
each content package have a catalogue of their own (`cards.pot`, `<language>/LC_MESSAGES/cards.po`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from cds_service.content.find import unique_contents, unique_rules
from cds_service.content.rule_check import texts_of
from cds_service.fhir.results import FailureReason, Incomplete
from cds_service.localise.catalogues import DOMAIN, ENGINE_LOCALES, read_catalogue
from cds_service.rules.service import Content, Service
from cds_service.rules.text import parts
from cds_service.terminology.codes import ATC, NDC, RXNORM

_KEYWORDS = {"Message": None}
_DRUG_SYSTEMS = frozenset({RXNORM, NDC, ATC})
_HEADER = """\
# Strings of the cards, written by `cds-service export catalogue`; see docs/localisation.md.
msgid ""
msgstr ""
{language}"Content-Type: text/plain; charset=utf-8\\n"

"""
"""No dates and no versions: what did not change must not look changed."""
Found = tuple[str, str]
"""(text, where it stands)"""


def engine_strings() -> Iterator[Found]:
    """What the engine itself prints on cards."""
    yield from _in_code(ENGINE_LOCALES.parent)
    for reason in FailureReason:
        yield reason.text, "fhir/results.py"
    for gap in Incomplete:
        yield gap.value, "fhir/results.py"


def content_strings(content: Content, services: Sequence[Service]) -> Iterator[Found]:
    """What one content package prints on cards: its records, its terms, its code."""
    for rule in unique_rules(service for service in services if service.content is content):
        for _, text in texts_of(rule):
            yield text, f"rule:{rule.id}"
    for gap in content.common_gaps:
        for text in (gap.text.summary, *(line.text for line in gap.text.detail)):
            yield text, "common-gap"
    for entry in content.catalogue:
        yield entry.words, "order-catalogue"
        yield entry.in_a_sentence, "order-catalogue"
    for analyte in content.analytes:
        yield analyte.title, "analyte"
        for reason in analyte.excluding_words.values():
            yield reason, "analyte"
    named = {each for sets in content.names.drugs.values() for each in sets}
    for value_set in content.value_sets:
        if value_set.id in named or any(coding.system in _DRUG_SYSTEMS for coding in value_set.codings):
            yield value_set.title, "drug"
    if content.locales is not None:
        yield from _in_code(content.locales.parent)


def _in_code(folder: Path) -> Iterator[Found]:
    method = [("**/locales/**", "ignore"), ("**.py", "python")]
    for name, _, text, _, _ in extract_from_dir(folder, method, keywords=_KEYWORDS):
        yield str(text), name


def template(strings: Iterable[Found]) -> Catalog:
    """The catalogue without translations; a text without a letter outside its places needs none."""
    catalogue = Catalog(domain=DOMAIN, fuzzy=False)
    for text, place in sorted(set(strings)):
        if any(character.isalpha() for literal in parts(text)[::2] for character in literal):
            catalogue.add(text, locations=[(place, 0)])
    return catalogue


def folders(services: Sequence[Service]) -> Iterator[tuple[Path, Catalog]]:
    """Each folder of catalogues with the template that belongs into it: the engine's and each package's."""
    yield ENGINE_LOCALES, template(engine_strings())
    for content in unique_contents(services):
        if content.locales is not None:
            yield content.locales, template(content_strings(content, services))


def write_catalogues(services: Sequence[Service]) -> list[Path]:
    """Write every template, and bring the translations to its state: new strings empty, old ones gone."""
    written = []
    for folder, strings in folders(services):
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{DOMAIN}.pot", strings)
        written.append(folder / f"{DOMAIN}.pot")
        for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
            translated = read_catalogue(path)
            translated.update(strings, no_fuzzy_matching=True)
            _write(path, translated)
            written.append(path)
    return written


def _write(path: Path, catalogue: Catalog) -> None:
    language = f'"Language: {catalogue.locale_identifier}\\n"\n' if catalogue.locale_identifier else ""
    with path.open("wb") as file:
        file.write(_HEADER.format(language=language).encode())
        write_po(
            file,
            catalogue,
            width=110,
            omit_header=True,
            sort_output=True,
            ignore_obsolete=True,
            include_lineno=False,
        )
