"""Prefetch templates: the FHIR queries a service asks for, published in discovery and used for call-backs.

Only the tokens of CDS Hooks 1.0 and 2.0 are used: first-level primitive members of the context.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_CONTEXT_FIELD = re.compile(r"context\.([A-Za-z]+)")
# Epic ids are longer than the 64 characters that FHIR allows.
_SAFE_ID = re.compile(r"[A-Za-z0-9.\-]{1,256}")
_STU3_NAME = {"ServiceRequest": ("ProcedureRequest",)}


def is_safe_id(value: str) -> bool:
    """Whether `value` may stand in a FHIR path: FHIR id characters only, and not a path step.

    HTTP clients resolve `..` and pass `?` and `/` on, so that an unchecked id could reach another resource.
    """
    return _SAFE_ID.fullmatch(value) is not None and value.strip(".") != ""


@dataclass(frozen=True, slots=True)
class PrefetchTemplate:
    """One query that a service needs answered for a call.

    Attributes:
        key: Our name for the data, for example `conditions`.
        query: FHIR query with tokens, for example `Condition?patient={{context.patientId}}`.
        resource_type: The type of the resources wanted, for example `Condition`.
        required: Core data; False when its absence only shortens the answer. It changes wording alone.

    Raises:
        ValueError: the query does not read `resource_type`, or has a token other than `context.<field>`.
    """

    key: str
    query: str
    resource_type: str
    required: bool = True

    def __post_init__(self) -> None:
        names = (self.resource_type, *_STU3_NAME.get(self.resource_type, ()))
        if not self.query.startswith(tuple(f"{name}{mark}" for name in names for mark in "?/")):
            raise ValueError(f"Template {self.key!r} does not read {self.resource_type}: {self.query}")
        for token in _TOKEN.findall(self.query):
            if not _CONTEXT_FIELD.fullmatch(token.strip()):
                raise ValueError(f"Template {self.key!r} has an unsupported token: {token}")

    @property
    def is_search(self) -> bool:
        """True for a search (many resources), False for the read of one resource."""
        return "?" in self.query

    def for_version(self, fhir_version: str) -> PrefetchTemplate:
        """The same question to a server of that FHIR version: STU3 has other names for some types."""
        if fhir_version != "STU3" or self.resource_type not in _STU3_NAME:
            return self
        (name,) = _STU3_NAME[self.resource_type]
        return replace(self, query=name + self.query.removeprefix(self.resource_type))


def fill(template: PrefetchTemplate, context: Mapping[str, str]) -> str:
    """The query of `template` with its tokens replaced by percent-encoded ids from `context`.

    Args:
        template: The query to fill.
        context: Members of the hook's context by name (`patientId`, `encounterId`), bare ids.

    Raises:
        ValueError: an id is missing, or is not safe to put into a path. The message holds no value.
    """

    def put(token: re.Match[str]) -> str:
        name = token[1].strip().removeprefix("context.")
        value = context.get(name)
        if value is None:
            raise ValueError(f"The context has no {name}.")
        if not is_safe_id(value):
            raise ValueError(f"The {name} of the context is not a FHIR id.")
        return quote(value, safe="")

    return _TOKEN.sub(put, template.query)
