"""The page of founding statements: where each is visible and what proves it; nothing may stay open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from cds_service.content.cases import FIRES, Cases
from cds_service.content.find import Place, Statement, unique_contents, unique_rules
from cds_service.content.problem import Problem
from cds_service.content.reach import Reach, logic, rule_reach
from cds_service.content.rule_check import texts_of
from cds_service.content.wording import BANS, NEVER_DONE
from cds_service.content.words import markdown, table
from cds_service.localise.text import Message
from cds_service.rules.rule import Rule
from cds_service.rules.service import Service
from cds_service.rules.text import fill_names

_INTRO = (
    "The service grew out of two founding texts: A, a summary (S1 to S20), and B, a longer article (S21 to S96). This "
    "page says for each statement where it can be seen, or that it is deliberately not used, and what proves it. It is "
    "generated; the program that checks the content fails when a place does not exist."
)
_KINDS = {
    "factor": "patient summary, factor “{}”",
    "line": "patient summary, line “{}”",
    "background": "[evidence page](evidence.md)",
    "value set": "code list “{}”",
}


class _World:
    """What exists: rules, words on their cards, codes, factors, background, definitions."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self.rules = {rule.id: rule for rule in unique_rules(services)}
        contents = unique_contents(services)
        self.fills = {name: fill for content in contents for name, fill in content.fills.items()}
        self.value_sets = {each.id: each for content in contents for each in content.value_sets}
        self.background = {
            ident for content in contents for each in content.background for ident in each.statements
        }
        self.wording = NEVER_DONE | {ban.id: ban.says for ban in reversed(BANS)}

    @cached_property
    def names(self) -> frozenset[str]:
        """Every text that stands in the code or the tables behind the fills and rules."""
        rules = (logic(rule) for rule in self.rules.values())
        reach = Reach(*rules, *(fill.make for fill in self.fills.values()))
        return frozenset((*reach.sentences, *_strings(reach.constants.values())))

    def texts(self, rule: Rule) -> Iterator[str]:
        """What the cards of a rule can say, the text of its fills included."""
        for _, text in texts_of(rule):
            yield text
            for name in fill_names(text):
                if name in self.fills:
                    reach = Reach(self.fills[name].make)
                    yield from reach.sentences
                    yield from _strings(reach.constants.values())
        yield from rule_reach(rule).sentences


def _strings(values: Iterable[object]) -> Iterator[str]:
    """Every string inside plain data."""
    for value in values:
        if isinstance(value, str | Message):
            yield str(value)
        elif isinstance(value, Mapping):
            yield from _strings((*value.keys(), *value.values()))
        elif isinstance(value, tuple | list | set | frozenset):
            yield from _strings(value)
        elif is_dataclass(value) and not isinstance(value, type):
            yield from (text for each in fields(value) if isinstance(text := getattr(value, each.name), str))


def statement_problems(statements: Sequence[Statement], services: Sequence[Service]) -> Iterator[Problem]:
    """Places that do not exist, and statements that the map leaves out."""
    world = _World(services)
    mapped = {statement.id for statement in statements}
    numbers = sorted(int(ident.removeprefix("S")) for ident in mapped)
    for number in set(range(1, max(numbers, default=0) + 1)) - set(numbers):
        yield Problem("statement-missing", f"statement S{number}", "The map leaves it out.")
    for ident in sorted(world.background - mapped):
        text = "The evidence page names it and the map does not."
        yield Problem("statement-missing", f"statement {ident}", text)
    for statement in statements:
        if not statement.places:
            yield Problem("statement-open", f"statement {statement.id}", "It has no place at all.")
        for place in statement.places:
            if why := _why_open(statement, place, world):
                yield Problem("statement-open", f"statement {statement.id}", why)


def _why_open(statement: Statement, place: Place, world: _World) -> str | None:
    """Why the place does not show the statement; nothing when it does."""
    if place.kind == "rule":
        return _why_rule_open(place, world)
    if place.kind in ("factor", "line"):
        known = place.name in world.names or place.name.replace("-", "_") in world.fills
        return None if known else f"The patient summary has no {place.kind} {place.name}."
    if place.kind == "background":
        known = statement.id in world.background
        return None if known else "The evidence page has no entry for it."
    if place.kind == "wording":
        return None if place.name in world.wording else f"There is no rule of wording {place.name}."
    if place.kind == "value set":
        return None if place.name in world.value_sets else f"There is no value set {place.name}."
    if place.kind == "definition":
        return None if _defined(place.name) else f"There is no definition {place.name}."
    return f"Unknown kind of place: {place.kind}."


def _why_rule_open(place: Place, world: _World) -> str | None:
    rule = world.rules.get(place.name)
    if rule is None:
        return f"There is no rule {place.name}."
    if place.mentions and not any(re.search(place.mentions, text) for text in world.texts(rule)):
        return f"No text of rule {place.name} mentions it (looked for {place.mentions})."
    return None


def _defined(name: str) -> bool:
    module, _, attribute = name.partition(":")
    return find_spec(module) is not None and hasattr(import_module(module), attribute)


def write_statements(
    statements: Sequence[Statement], services: Sequence[Service], path: Path, cases: Cases
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(statements_page(statements, services, cases), encoding="utf-8")


def statements_page(statements: Sequence[Statement], services: Sequence[Service], cases: Cases) -> str:
    """Markdown; an open place is marked as such."""
    world = _World(services)
    rows = []
    for statement in statements:
        shown = [_shown(statement, place, world) for place in statement.places]
        proofs = dict.fromkeys(proof for place in statement.places if (proof := _proof(place, world, cases)))
        rows.append(
            (
                statement.id,
                statement.document,
                markdown(statement.says),
                "<br>".join(shown),
                "<br>".join(proofs) or "no case yet",
            )
        )
    head = ("No.", "Text", "It says", "Visible in", "Proven by")
    return "\n\n".join(["# Founding statements", _INTRO, table(head, rows)]) + "\n"


def _shown(statement: Statement, place: Place, world: _World) -> str:
    note = f" ({markdown(place.note)})" if place.note else ""
    open_note = " **open**" if _why_open(statement, place, world) else ""
    if place.kind == "rule":
        rule = world.rules.get(place.name)
        where = f"[{markdown(rule.title)}](rules/{rule.id}.md)" if rule else f"rule {place.name}"
    elif place.kind == "definition":
        return f"definition: {markdown(place.note)}{open_note}"
    elif place.kind == "wording" and place.name in world.wording:
        where = f"rule of wording {place.name}: the service {world.wording[place.name]}"
    elif place.kind == "value set" and place.name in world.value_sets:
        where = f"code list “{markdown(world.value_sets[place.name].title)}”"
    else:
        where = _KINDS.get(place.kind, "{}").format(place.name.replace("-", " "))
    return f"{where}{note}{open_note}"


def _proof(place: Place, world: _World, cases: Cases) -> str:
    if place.kind != "rule":
        return place.proof
    rule = world.rules.get(place.name)
    firing = [pair for pair in cases.about(rule) if pair[1].outcome(rule) == FIRES] if rule else []
    if not rule or not firing:
        return ""
    # The plainest case: the rule has a card of its own, and few others do.
    stem, _ = min(
        firing, key=lambda pair: (not pair[1].cards(rule), len(pair[1].expect.cards), len(pair[0]), pair[0])
    )
    return f"case {stem}"
