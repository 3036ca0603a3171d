"""Conditions as FHIRPath.

Variables are the prefetch keys of the service (`%conditions`, `%procedures`, ...) and `%draft`, the order
being judged. What FHIRPath cannot ask (units and dates of results, routes, names in text) becomes a constant
named in words, `%'on maintenance dialysis'`, that only the service can fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds_service.content.words import plain
from cds_service.rules.criteria import (
    AgeAtLeast,
    AllOf,
    Always,
    AnyOf,
    Criterion,
    EitherOrder,
    HadProcedure,
    HasProblem,
    Not,
    Ordering,
    OrderingProcedure,
    Requested,
    Trigger,
)
from cds_service.rules.criteria import CodeGroup as Group

Canonical = Callable[[Group], str | None]
"""The URL of the value set for a group of codes."""


def condition_path(criterion: Criterion, url_of: Canonical) -> str:
    """FHIRPath that is true when the criterion is met."""
    if isinstance(criterion, Always):
        return "true"
    if isinstance(criterion, AgeAtLeast):
        return f"%patient.birthDate <= today() - {criterion.years} years"
    if isinstance(criterion, Not):
        return f"({condition_path(criterion.criterion, url_of)}).not()"
    if isinstance(criterion, AllOf | AnyOf):
        joiner = " and " if isinstance(criterion, AllOf) else " or "
        return joiner.join(f"({condition_path(each, url_of)})" for each in criterion.criteria)
    return _record_path(criterion, url_of) or in_words(criterion.text)


def in_words(text: str) -> str:
    """A constant with the condition itself as its name."""
    name = plain(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"%'{name}'"


def _record_path(criterion: Criterion, url_of: Canonical) -> str | None:
    """The few kinds of criterion that ask for coded entries only."""
    if isinstance(criterion, HasProblem) and criterion.within_days is None:
        of_kind = _member("code", criterion.groups, url_of)
        current = "" if criterion.history else _CURRENT
        return f"%conditions.where({of_kind}{_STANDS}{current}).exists()" if of_kind else None
    if isinstance(criterion, HadProcedure):
        of_kind = _member("code", criterion.groups, url_of)
        when = f"performed.ofType(dateTime) >= today() - {criterion.within_days} days"
        return f"%procedures.where({of_kind} and {when}).exists()" if of_kind else None
    if isinstance(criterion, Requested):
        of_kind = _member("code", criterion.groups, url_of)
        when = f"authoredOn >= today() - {criterion.within_days} days"
        return f"%requests.where({of_kind} and {when}).exists()" if of_kind else None
    return None


_STANDS = " and verificationStatus.coding.where(code = 'refuted' or code = 'entered-in-error').empty()"
_CURRENT = (
    " and clinicalStatus.coding.where(code = 'inactive' or code = 'remission' or code = 'resolved').empty()"
    " and abatement.empty()"
)


def trigger_path(trigger: Trigger, url_of: Canonical) -> str:
    """FHIRPath that is true when `%draft` is an order the rule is about."""
    if isinstance(trigger, EitherOrder):
        return " or ".join(f"({trigger_path(each, url_of)})" for each in trigger.triggers)
    path = None
    if isinstance(trigger, Ordering) and not trigger.only_routes and not trigger.not_routes:
        path = _member("%draft.medication", trigger.groups, url_of)
    elif isinstance(trigger, OrderingProcedure):
        path = _member("%draft.code", trigger.groups, url_of)
        unwanted = _member("%draft.code", trigger.but_not, url_of) if trigger.but_not else None
        path = f"{path} and {unwanted}.not()" if path and unwanted else path
    return path or in_words(trigger.text)


def _member(element: str, groups: Iterable[Group], url_of: Canonical) -> str | None:
    urls = [url_of(group) for group in groups]
    tests = [f"{element}.memberOf('{url}')" for url in urls if url is not None]
    return f"({' or '.join(tests)})" if tests and len(tests) == len(urls) else None
