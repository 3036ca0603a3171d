"""Is this code in? Finds a code in the value sets, and the rules that rest on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cds_service.content.find import unique_contents, unique_rules
from cds_service.content.reach import rule_reach
from cds_service.content.words import SYSTEMS
from cds_service.rules.rule import Rule
from cds_service.rules.service import Service
from cds_service.terminology.codes import NAME_ONLY, Coding, normalise_system
from cds_service.terminology.valueset import ValueSet


@dataclass(frozen=True, slots=True)
class Hit:
    """A value set that holds the code."""

    coding: Coding
    system: str
    """The code system in words."""
    value_set: ValueSet
    look_alike: bool
    """The set lists products that only look like a drug: a code in it never counts."""
    rules: tuple[Rule, ...]


class Lookup:
    """An index of every code, made once."""

    def __init__(self, services: Sequence[Service]) -> None:
        rules = unique_rules(services)
        self._hits: dict[str, list[Hit]] = {}
        for content in unique_contents(services):
            users: dict[str, list[Rule]] = {}
            for rule in rules:
                for each in rule_reach(rule).sets(content.value_sets):
                    users.setdefault(each.id, []).append(rule)
            against = {each.value_set.id: each.removes for each in content.exclusions}
            every = {each.id: each for each in content.value_sets}
            every.update({each.value_set.id: each.value_set for each in content.exclusions})
            for value_set in every.values():
                using = users.get(value_set.id, [])
                for other in against.get(value_set.id, ()):
                    using = [*using, *(rule for rule in users.get(other, ()) if rule not in using)]
                for hit in _hits(value_set, tuple(using), look_alike=value_set.id in against):
                    self._hits.setdefault(_key(hit.coding.code), []).append(hit)

    @property
    def systems(self) -> dict[str, str]:
        """URI -> words, of the systems in which a code can be looked for."""
        seen = {hit.coding.system for hits in self._hits.values() for hit in hits}
        return {uri: words for uri, words in SYSTEMS.items() if uri in seen}

    def find(self, code: str, system: str = "") -> list[Hit]:
        """Where the code is; in any system when none is named. Spaces, dots of ICD codes and case do not matter."""
        wanted = normalise_system(system.strip()) or ""
        hits = self._hits.get(_key(code), [])
        return [hit for hit in hits if not wanted or hit.coding.system == wanted]


def _key(code: str) -> str:
    return code.strip().replace(".", "").casefold()


def _hits(value_set: ValueSet, rules: tuple[Rule, ...], *, look_alike: bool) -> Iterator[Hit]:
    for coding in value_set.codings:
        if coding.system != NAME_ONLY:
            yield Hit(coding, SYSTEMS.get(coding.system, coding.system), value_set, look_alike, rules)
