"""The content hash of a rule: what a clinician's approval is tied to.

It covers the whole record but its review block, every value set (version and codes), every analyte, and
every named constant that the criteria use, so that a changed threshold voids the approval. It does not
cover the Python of a criterion: for that the rule's version is raised. Bibliographic addresses (DOI, PMID,
URL), docstrings and runs of white space do not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from cds_service.content.reach import rule_reach
from cds_service.localise.text import Message
from cds_service.rules.rule import Citation, Rule
from cds_service.terminology.valueset import ValueSet, ValueSetGroup

_LEFT_OUT = {Rule: frozenset({"review"}), Citation: frozenset({"doi", "pmid", "url"})}


def rule_hash(rule: Rule) -> str:
    """64 hexadecimal digits; equal for equal clinical content, on any machine and Python."""
    return hashlib.sha256("\n".join(_parts(rule)).encode()).hexdigest()


def _parts(rule: Rule) -> Iterator[str]:
    reach = rule_reach(rule)
    yield canonical(rule)
    for name in sorted(reach.constants):
        yield f"constant {name} {canonical(reach.constants[name])}"
    for ident in sorted(reach.analytes):
        yield f"analyte {canonical(reach.analytes[ident])}"
    for ident in sorted(reach.groups):
        yield f"group {canonical(reach.groups[ident])}"
    for ident in sorted(reach.value_sets):
        yield f"value set {canonical(reach.value_sets[ident])}"


def canonical(value: object) -> str:
    """One text for one meaning."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return repr(" ".join(value.split()))
    if isinstance(value, Message):
        return f"{canonical(value.template)} with {canonical(value.values)}"
    if isinstance(value, ValueSet):
        codes = "\n".join(sorted(f"{each.system}|{each.code}|{each.display}" for each in value.codings))
        return f"{value.id} {value.version} {hashlib.sha256(codes.encode()).hexdigest()}"
    if isinstance(value, ValueSetGroup):
        return f"{value.id} {canonical(value.title)} of {', '.join(sorted(value.ids))}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | int | float | date):
        return str(value)
    if isinstance(value, Mapping):
        pairs = sorted(f"{canonical(key)}: {canonical(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, AbstractSet):
        return f"{{{', '.join(sorted(canonical(each) for each in value))}}}"
    if isinstance(value, tuple | list):
        return f"({', '.join(canonical(each) for each in value)})"
    if is_dataclass(value) and not isinstance(value, type):
        left_out = _LEFT_OUT.get(type(value), frozenset())
        inner = [
            f"{each.name}={canonical(getattr(value, each.name))}"
            for each in fields(value)
            if each.compare and each.name not in left_out
        ]
        return f"{type(value).__name__}({', '.join(inner)})"
    return getattr(value, "__qualname__", type(value).__qualname__)
