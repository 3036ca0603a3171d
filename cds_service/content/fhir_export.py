"""`cds-service export fhir`: the rules and code lists as FHIR R4 resources, one file each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cds_service.compose import topic_code
from cds_service.content import fhir_codes
from cds_service.content.fhirpath import Canonical, condition_path, in_words, trigger_path
from cds_service.content.find import unique_contents, unique_rules
from cds_service.content.reach import rule_reach
from cds_service.content.words import about_orders, plain
from cds_service.fhir import knowledge
from cds_service.rules.criteria import CodeGroup, Criterion
from cds_service.rules.rule import Indicator, Mode, Rule, Tier
from cds_service.rules.service import Content, Service
from cds_service.rules.text import parts
from cds_service.terminology.valueset import ValueSet, ValueSetGroup

_STOPS = "the order does not stop, cancel or forbid the treatment"


def write_fhir(services: Sequence[Service], out_dir: Path) -> list[Path]:
    """Write every resource as `Type-id.json`; the same content gives the same bytes."""
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    for resource in fhir_resources(services):
        path = out_dir / f"{resource['resourceType']}-{resource['id']}.json"
        text = json.dumps(resource, indent=1, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
        written.append(path)
    return written


def fhir_resources(services: Sequence[Service]) -> list[dict[str, Any]]:
    """Value sets, topics, rules, and the index last, so that they can be loaded in this order."""
    made: list[dict[str, Any]] = []
    for content in unique_contents(services):
        own = [service for service in services if service.content is content]
        rules = unique_rules(own)
        parts_of = [
            *(fhir_codes.value_set(each) for each in _value_sets(content)),
            *(fhir_codes.value_set_group(each, content) for each in _groups(rules)),
            fhir_codes.topics(content, _topics(rules)),
            *(_plan(rule, own, content) for rule in rules),
        ]
        made += [*parts_of, knowledge.library(content, parts_of)]
    return made


def _value_sets(content: Content) -> Iterator[ValueSet]:
    yield from sorted(content.value_sets, key=lambda each: each.id)
    yield from sorted((each.value_set for each in content.exclusions), key=lambda each: each.id)


def _groups(rules: Sequence[Rule]) -> list[ValueSetGroup]:
    found: dict[str, ValueSetGroup] = {}
    for rule in rules:
        found.update(rule_reach(rule).groups)
    return [found[ident] for ident in sorted(found)]


def _topics(rules: Sequence[Rule]) -> dict[str, str]:
    codes = {}
    for rule in rules:
        codes[topic_code(rule.id, Indicator.INFO, "Gap")] = rule.title
        codes.update({topic_code(rule.id, tier.indicator, tier.branch): rule.title for tier in rule.tiers})
    return codes


def _plan(rule: Rule, services: Sequence[Service], content: Content) -> dict[str, Any]:
    url_of = _canonical(content)
    uses = [(service, use) for service in services for use in service.rules if use.rule is rule]
    hooks = {service.hook: use.mode for service, use in uses if use.mode is not Mode.OFF}
    return knowledge.plan_definition(
        rule,
        content,
        hooks=hooks or {service.hook: use.mode for service, use in uses},
        conditions=list(_conditions(rule, url_of)),
        tiers=[_tier(rule, tier, url_of) for tier in rule.tiers],
        value_sets=[each.url for each in rule_reach(rule).sets(content.value_sets)],
        words=_readable(content),
    )


def _tier(rule: Rule, tier: Tier, url_of: Canonical) -> knowledge.TierConditions:
    return knowledge.TierConditions(
        tier,
        topic_code(rule.id, tier.indicator, tier.branch),
        _condition(tier.when, url_of),
        tuple(_condition(each.when, url_of) if each.when else None for each in tier.suggestions),
    )


def _conditions(rule: Rule, url_of: Canonical) -> Iterator[knowledge.Condition]:
    yield plain(rule.trigger.text), trigger_path(rule.trigger, url_of)
    if about_orders(rule):
        yield _STOPS, in_words(_STOPS)
    for criterion in (*rule.population, *rule.criteria):
        yield _condition(criterion, url_of)
    for criterion in (*rule.exclusions, *rule.suppressions):
        text, path = _condition(criterion, url_of)
        yield f"not: {text}", f"({path}).not()"


def _condition(criterion: Criterion, url_of: Canonical) -> knowledge.Condition:
    return plain(criterion.text), condition_path(criterion, url_of)


def _canonical(content: Content) -> Canonical:
    base = knowledge.canonical_base(content)

    def url_of(group: CodeGroup) -> str | None:
        if isinstance(group, ValueSet):
            return group.url
        return f"{base}/ValueSet/{knowledge.group_id(group)}" if isinstance(group, ValueSetGroup) else None

    return url_of


def _readable(content: Content) -> Callable[[str], str]:
    """Templates with an example in square brackets for each fill."""

    def words(template: str) -> str:
        pieces = list(parts(template))
        for index in range(1, len(pieces), 2):
            fill = content.fills.get(pieces[index])
            pieces[index] = f"[{fill.example if fill else pieces[index]}]"
        return "".join(pieces)

    return words
