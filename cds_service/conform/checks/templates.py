"""Prefetch templates that every EHR can fill (section 2.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.observed import Entry, Observed

BOOK = Book()
_QUERY = re.compile(r"([A-Z][A-Za-z]+)(/[^?]+|(?=\?))(\?.*)?")
_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_FIELD = re.compile(r"context\.([A-Za-z]+)")
_USER = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")
_FHIRPATH = re.compile(r"today\(\)|%\w+|ofType\(|resolve\(|\||context\.\w+\.")
_COMMON = ("patientId", "userId", "encounterId")
_TOKENS = {"order-dispatch": ("patientId", "dispatchedOrders", "performer")}
"""Hook -> fields it marks as usable in templates, where they differ from the common three."""
_OUTSIDE = ("_include", "_revinclude", "_has", "_filter", "_query", "_contained")
_ODD_PREFIX = re.compile(r"(ne|sa|eb|ap)\d{4}")


@dataclass(frozen=True, slots=True)
class Template:
    """One query that a service publishes. `place` names it by number: keys are the service's business."""

    entry: Entry
    place: str
    key: str
    query: str
    before: tuple[str, ...]
    """Keys that are listed before this one."""

    @property
    def tokens(self) -> list[str]:
        return [token.strip() for token in _TOKEN.findall(self.query)]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        pairs = self.query.partition("?")[2].split("&")
        return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs) if name]

    @property
    def speaks_fhirpath(self) -> bool:
        """Whether the service says that it follows 3.0, which allows more than first-level fields."""
        return str(self.entry.value.get("version", "")).startswith("3")


def templates(observed: Observed) -> list[Template]:
    found: list[Template] = []
    for entry in observed.entries:
        given = entry.value.get("prefetch")
        queries = [(k, v) for k, v in given.items() if isinstance(v, str)] if isinstance(given, dict) else []
        for number, (key, query) in enumerate(queries):
            before = tuple(key for key, _ in queries[:number])
            found.append(Template(entry, f"{entry.place}.prefetch, key {number + 1}", key, query, before))
    return found


def _each(find: Callable[[Template], Iterator[str]]) -> Judge:
    def judge(observed: Observed) -> Judged:
        found = templates(observed)
        problems = [f"{each.place}: {problem}" for each in found for problem in find(each)]
        nothing = "no service publishes prefetch templates"
        return Judged(len(found), tuple(problems), observed.why_nothing if observed.locked else nothing)

    return judge


def _query(template: Template) -> Iterator[str]:
    if not _QUERY.fullmatch(template.query):
        yield "neither Type/id nor Type?parameters"


def _syntax(template: Template) -> Iterator[str]:
    bare = _TOKEN.sub("", template.query)
    if "{" in bare or "}" in bare:
        yield "braces that are no {{token}}"
    for token in template.tokens:
        if not (_FIELD.fullmatch(token) or token in _USER or _FHIRPATH.search(token)):
            yield "a token is neither context.<field> nor one of the four user tokens"


def _first_level(template: Template) -> Iterator[str]:
    allowed = _TOKENS.get(template.entry.hook, _COMMON)
    for token in template.tokens:
        field = _FIELD.fullmatch(token)
        if field and field[1] not in allowed and template.entry.hook:
            yield f"context.{field[1][:32]} is no token of {template.entry.hook}"
        elif not field and token not in _USER and _FHIRPATH.search(token) and not template.speaks_fhirpath:
            yield "FHIRPath in a token, which clients of 2.0 cannot fill"


def _order(template: Template) -> Iterator[str]:
    for token in template.tokens:
        for name in re.findall(r"%(\w+)", token):
            if name not in template.before and name != "context":
                yield "refers to a template that is not listed before it"


def _subset(template: Template) -> Iterator[str]:
    for name, value in template.parameters:
        plain, _, modifier = name.partition(":")
        if plain in _OUTSIDE:
            yield f"{plain} is outside the portable subset"
        elif modifier and plain != "sort" and modifier != "in":
            yield "a modifier other than :in"
        elif "." in plain:
            yield "a chained parameter"
        elif _ODD_PREFIX.match(value):
            yield "a date prefix other than eq, lt, gt, ge, le"


def _sort(template: Template) -> Iterator[str]:
    if any(name.partition(":")[0] == "sort" for name, _ in template.parameters):
        yield "sort is no parameter of FHIR R4; it is _sort"


def _once(template: Template) -> Iterator[str]:
    names = [name for name, _ in template.parameters]
    if len(names) > len(set(names)):
        yield "a parameter appears twice; the CDS Hooks Sandbox joins the values by comma, which means OR"


for _id, _level, _text, _find, _rows in (
    ("C012-prefetch-query", Level.SHALL, "A template is a FHIR read or search by type.", _query, ()),
    (
        "C029-token-syntax",
        Level.SHALL,
        "A token is context.<field> or a user token in double braces.",
        _syntax,
        (),
    ),
    (
        "C030-first-level-tokens",
        Level.SHALL,
        "Tokens are fields of the first level that the hook offers as tokens.",
        _first_level,
        (),
    ),
    ("C031-listed-before", Level.SHALL, "A template that uses another one comes after it.", _order, ()),
    (
        "C032-portable-subset",
        Level.SHOULD,
        "Queries keep to the portable subset: no includes, chains or modifiers but :in.",
        _subset,
        (34,),
    ),
    ("C033-underscore-sort", Level.PROPOSAL, "Sorting is written _sort, as in FHIR R4.", _sort, ()),
    ("C035-parameter-once", Level.PROPOSAL, "No parameter appears twice in one query.", _once, ()),
):
    BOOK.add(_id, _level, _text, _each(_find), rows=_rows)
