"""Shipped content with one thing changed, for planting a problem and finding it."""

from dataclasses import replace
from datetime import date
from functools import cache

from cds_service.content.check import problems
from cds_service.content.find import unique_rules
from cds_service.registry import load_services

TODAY = date(2026, 11, 21)
SHIPPED = load_services()
CONTENT = SHIPPED[0].content
RULES = {rule.id: rule for rule in unique_rules(SHIPPED)}
VKA = RULES["vka-dialysis"]


def with_rule(changed, instead_of=VKA, services=SHIPPED):
    """The services with one rule exchanged for another."""
    return tuple(
        replace(
            service,
            rules=tuple(
                replace(use, rule=changed) if use.rule is instead_of else use for use in service.rules
            ),
        )
        for service in services
    )


def with_vka(**changes):
    return with_rule(replace(VKA, **changes))


def with_tier(number=0, **changes):
    """The services with one tier of the rule changed."""
    tiers = list(VKA.tiers)
    tiers[number] = replace(tiers[number], **changes)
    return with_vka(tiers=tuple(tiers))


def with_content(**changes):
    changed = replace(CONTENT, **changes)
    return tuple(replace(service, content=changed) for service in SHIPPED)


def value_set(ident, *codings, **changes):
    """A shipped value set with other codings."""
    found = next(each for each in CONTENT.value_sets if each.id == ident)
    return replace(found, codings=codings or found.codings, **changes)


def with_value_set(changed):
    sets = tuple(changed if each.id == changed.id else each for each in CONTENT.value_sets)
    return with_content(value_sets=sets)


def found(services=SHIPPED, **options):
    """Problems, as (code, place) pairs."""
    return {(each.code, each.place) for each in problems(services, today=TODAY, **options)}


def codes(services=SHIPPED, **options):
    return {code for code, _ in found(services, **options)}


@cache
def shipped_codes():
    """What the unchanged content has, files and pages aside."""
    return codes()
