"""The content linter behind `cds-service check`: every problem at once, none hides another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from cds_service.content.cases import coverage, read_cases, unknown_names
from cds_service.content.catalogue import content_strings
from cds_service.content.code_check import Disjoint, citation_problems, code_problems
from cds_service.content.find import Statement, home, rules_in_files, unique_contents, unique_rules
from cds_service.content.pages import page_problems, pages
from cds_service.content.problem import Problem
from cds_service.content.reach import Reach, logic
from cds_service.content.rule_check import (
    card_texts,
    rule_problems,
    summary_problems,
    template_problems,
    texts_of,
)
from cds_service.content.statements import statement_problems
from cds_service.content.translations import translation_problems
from cds_service.content.wording import violations
from cds_service.rules.rule import Rule
from cds_service.rules.service import Content, Service

MINIMUM_CASES = 3
"""Case files for each tier of a rule."""


def problems(
    services: Sequence[Service],
    *,
    today: date,
    cases_dir: Path | None = None,
    docs_dir: Path | None = None,
    value_set_folder: Path | None = None,
    statements: Sequence[Statement] = (),
    disjoint: Disjoint = (),
    minimum_cases: int = MINIMUM_CASES,
    translations: bool = False,
) -> list[Problem]:
    """Everything that is wrong with the content of `services`, sorted.

    Args:
        services: As `registry.load_services()` gives them.
        today: The day against which review dates are held.
        cases_dir: Folder of case files; without it the cases are not checked.
        docs_dir: Folder that holds `rules/`, `evidence.md` and `statements.md`; without it pages are not.
        value_set_folder: Folder with a manifest (`find.value_set_folder`), to compare files and checksums.
        statements: The map of founding statements (`find.statements`).
        disjoint: Pairs of value-set ids that must not share a code, beyond those of two analytes.
        minimum_cases: Case files asked for each tier.
        translations: Whether to check the catalogues as well.
    """
    cases = read_cases(cases_dir)
    rules = unique_rules(services)
    found = list(_rules(services, rules, today))
    for content in unique_contents(services):
        found += code_problems(content, value_set_folder, disjoint)
        found += citation_problems(content)
        found += _common_gaps(content)
    found += _wording(services)
    if translations:
        found += translation_problems(services)
    if cases_dir is not None:
        found += cases.problems
        found += unknown_names(cases, (service.id for service in services), rules)
        for rule in rules:
            found += coverage(rule, cases, minimum_cases)
    if statements:
        found += statement_problems(statements, services)
    if docs_dir is not None:
        found += page_problems(pages(services, cases, statements), docs_dir)
    return sorted(set(found))


def _rules(services: Sequence[Service], rules: list[Rule], today: date) -> Iterator[Problem]:
    yield from _twice(rules)
    yield from _files(rules)
    for service in services:
        keys = {template.key for template in service.prefetch}
        for use in service.rules:
            for key in use.rule.data_required:
                if key not in keys:
                    text = f"It needs {key!r}, which {service.id} does not ask for."
                    yield Problem("data-unknown", f"rule {use.rule.id}", text)
            yield from rule_problems(use.rule, service.content, today)


def _twice(rules: list[Rule]) -> Iterator[Problem]:
    by_id: dict[str, int] = defaultdict(int)
    by_number: dict[int, list[str]] = defaultdict(list)
    for rule in rules:
        by_id[rule.id] += 1
        by_number[rule.number].append(rule.id)
    for ident, count in by_id.items():
        if count > 1:
            yield Problem("rule-id-twice", f"rule {ident}", f"{count} different rules have this id.")
    for number, owners in by_number.items():
        if len(owners) > 1:
            text = f"The number {number} belongs to {' and '.join(sorted(owners))}."
            yield Problem("rule-number-twice", f"rule {min(owners)}", text)


def _files(rules: list[Rule]) -> Iterator[Problem]:
    for rule in rules:
        module = home(rule)
        stem = Path(module.__file__).stem if module is not None and module.__file__ else None
        if stem is not None and stem.replace("_", "-") != rule.id:
            yield Problem(
                "rule-id-file", f"rule {rule.id}", f"It stands in {stem}.py; file and id must agree."
            )
    for declared, module in rules_in_files(rules):
        if not any(declared is rule for rule in rules):
            text = f"It stands in {module.__name__} and on no service."
            yield Problem("rule-not-used", f"rule {declared.id}", text)


def _common_gaps(content: Content) -> Iterator[Problem]:
    for number, gap in enumerate(content.common_gaps, 1):
        place = f"common gap {number}"
        yield from summary_problems(f"{place}, summary", gap.text.summary, content)
        for where, text in card_texts(place, gap.text):
            yield from template_problems(where, text, content)


def _wording(services: Sequence[Service]) -> Iterator[Problem]:
    for content, place, text in emitted(services):
        for ban, words in violations(text, content.name):
            yield Problem("never-say", place, f"{ban.id}: {words!r}; the service {ban.says}.")


def emitted(services: Iterable[Service]) -> Iterator[tuple[Content, str, str]]:
    """Every text the content can emit: content, place, text. Sentences inside code are included."""
    services = tuple(services)
    for service in services:
        yield service.content, f"service {service.id}, title", service.title
        yield service.content, f"service {service.id}, description", service.description
        yield service.content, f"service {service.id}, usage", service.usage_requirements
    for content in unique_contents(services):
        for rule in unique_rules(service for service in services if service.content is content):
            for place, text in texts_of(rule):
                yield content, place, text
        for number, gap in enumerate(content.common_gaps, 1):
            for place, text in card_texts(f"common gap {number}", gap.text):
                yield content, place, text
        for entry in content.catalogue:
            yield content, f"catalogue {entry.key}", entry.words
        for name, fill in content.fills.items():
            yield content, f"fill {name}, example", fill.example
        sentences = _code_of(content, services).sentences
        for text, function in sentences.items():
            yield content, f"code of {function}", text
        for text, place in content_strings(content, services):
            if place.endswith(".py") and text not in sentences:
                yield content, f"code of {place}", text


def _code_of(content: Content, services: Iterable[Service]) -> Reach:
    """The code behind the rules and fills of one content package, walked once."""
    rules = unique_rules(service for service in services if service.content is content)
    return Reach(*(logic(rule) for rule in rules), *(fill.make for fill in content.fills.values()))
