"""The code lists of a rule for its sheet: every code with its words, folded per code system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from cds_service.content.reach import Reach, rule_reach, trigger_reach
from cds_service.content.rule_check import texts_of
from cds_service.content.words import SYSTEMS, count, markdown
from cds_service.rules.rule import Rule
from cds_service.rules.service import Content
from cds_service.rules.text import fill_names
from cds_service.terminology.codes import NAME_ONLY
from cds_service.terminology.valueset import Exclusion, ValueSet

_NAMED_ONLY = "Lists that only serve lines of the card are named here without their codes; those are in the exported value sets."


def codes_section(rule: Rule, content: Content) -> list[str]:
    """Lists used, look-alikes, written names, then one fold per code system."""
    trigger = trigger_reach(rule).sets(content.value_sets)
    others = [each for each in rule_reach(rule).sets(content.value_sets) if each not in trigger]
    lines_only = _for_lines(rule, content, {each.id for each in (*trigger, *others)})
    looks = _exclusions(rule, content)
    if not trigger and not others:
        return ["The rule uses no code lists."]
    lines = ["| List | Used for | What it holds | Codes | Version |", "|---|---|---|---|---|"]
    lines += _rows(trigger, "the order")
    lines += _rows(others, "conditions and advice")
    lines += _rows([each.value_set for each in looks], "look-alikes: never count")
    lines += _rows(lines_only, "lines of the card")
    lines.append("")
    if lines_only:
        lines += [_NAMED_ONLY, ""]
    lines += _names((*trigger, *others), content)
    every = (*trigger, *others, *(each.value_set for each in looks))
    systems = {coding.system for each in every for coding in each.codings} - {NAME_ONLY}
    for system in sorted(systems, key=lambda system: SYSTEMS.get(system, system)):
        lines += _fold(system, every)
    return lines


def by_name_only(rule: Rule, content: Content) -> list[str]:
    """Titles of the lists of the rule that no code stands behind."""
    sets = rule_reach(rule).sets(content.value_sets)
    return [each.title for each in sets if all(coding.system == NAME_ONLY for coding in each.codings)]


def _for_lines(rule: Rule, content: Content, known: set[str]) -> list[ValueSet]:
    """Lists behind the fills of the rule's texts that none of its conditions uses."""
    names = {name for _, text in texts_of(rule) for name in fill_names(text)}
    reach = Reach(*(content.fills[name].make for name in sorted(names & set(content.fills))))
    return [each for each in reach.sets(content.value_sets) if each.id not in known]


def _rows(sets: Iterable[ValueSet], use: str) -> Iterator[str]:
    for each in sorted(sets, key=lambda each: each.title):
        holds = markdown(each.purpose)
        yield f"| {markdown(each.title)} | {use} | {holds} | {len(each.codings):,} | {each.version} |"


def _exclusions(rule: Rule, content: Content) -> list[Exclusion]:
    used = {each.id for each in rule_reach(rule).sets(content.value_sets)}
    return [each for each in content.exclusions if each.removes & used]


def _names(sets: Iterable[ValueSet], content: Content) -> list[str]:
    """Written names that stand for a list when an entry carries no code we know."""
    titles = {each.id: each.title for each in sets}
    found: dict[str, list[str]] = defaultdict(list)
    for names in (content.names.drugs, content.names.texts):
        for name, ids in names.items():
            for ident in ids:
                if ident in titles:
                    found[titles[ident]].append(name)
    if not found:
        return []
    total = len({name for names in found.values() for name in names})
    rows = [
        f"| {markdown(title)} | {markdown('; '.join(sorted(set(names))))} |"
        for title, names in sorted(found.items())
    ]
    return [
        "<details>",
        f"<summary>Written names, where an entry has no code we know: {count(total, 'name')}</summary>",
        "",
        "| List | Names |",
        "|---|---|",
        *rows,
        "",
        "</details>",
        "",
    ]


def _fold(system: str, sets: Iterable[ValueSet]) -> list[str]:
    rows: list[str] = []
    total = 0
    for each in sorted(sets, key=lambda each: each.title):
        by_words: dict[str, list[str]] = defaultdict(list)
        for coding in each.codings:
            if coding.system == system:
                by_words[coding.display].append(coding.code)
                total += 1
        rows += [
            f"| {markdown(each.title)} | {markdown(words)} | {', '.join(sorted(by_words[words]))} |"
            for words in sorted(by_words)
        ]
    return [
        "<details>",
        f"<summary>{SYSTEMS.get(system, system)}: {count(total, 'code')}</summary>",
        "",
        "| List | Words | Codes |",
        "|---|---|---|",
        *rows,
        "",
        "</details>",
        "",
    ]
