"""The discovery document (section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.nodes import is_text, shape
from cds_service.conform.observed import Entry, Observed

BOOK = Book()
_SLUG = re.compile(r"[A-Za-z0-9._~-]+")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?([-+][0-9A-Za-z.-]+)?|STU\d+")
HOOK_VERSIONS = {
    "patient-view": ("1.0",),
    "order-select": ("1.0", "1.0.2"),
    "order-sign": ("1.0", "1.1.0"),
    "order-dispatch": ("1.1",),
    "encounter-start": ("1.0",),
    "encounter-discharge": ("1.0",),
    "appointment-book": ("1.0",),
    "medication-refill": ("0.1.0",),
    "problem-list-item-create": ("0.1.0",),
    "allergyintolerance-create": ("0.1.0",),
    "medication-prescribe": ("1.0",),
    "order-review": ("1.0",),
}
"""Hook -> versions under which its definition is published (the page and its change log may differ)."""


@BOOK.check("C007-discovery-answers", Level.SHALL, "GET {base}/cds-services is answered with 200.")
def _answers(observed: Observed) -> Judged:
    seen = observed.of("discovery")
    if observed.locked:
        return Judged(nothing=observed.why_nothing)
    return Judged(len(seen), tuple(s.answer.told for s in seen if s.answer.status != 200))  # noqa: PLR2004


@BOOK.check("C007-discovery-stable", Level.SHALL, "Discovery gives the same document when asked again.")
def _stable(observed: Observed) -> Judged:
    documents = [s.answer.document for s in observed.of("discovery", "discovery-again")]
    if not observed.entries:
        return Judged(nothing=_nothing(observed))
    same = all(document == documents[0] for document in documents)
    return Judged(1, () if same else ("two documents within a second differ",))


@BOOK.check(
    "C008-services-array",
    Level.SHALL,
    "The document is an object with an array `services` of objects; without services it is empty.",
)
def _array(observed: Observed) -> Judged:
    answered = [s for s in observed.of("discovery") if s.answer.status == 200]  # noqa: PLR2004
    if not answered:
        return Judged(nothing="discovery was not answered with 200")
    document = answered[0].answer.document
    if not isinstance(document, dict):
        return Judged(1, ("the document is not a JSON object",))
    services = document.get("services")
    if not isinstance(services, list):
        return Judged(1, (f"$.services: {shape(services) if 'services' in document else 'missing'}",))
    wrong = [f"$.services[{i}]: {shape(v)}" for i, v in enumerate(services) if not isinstance(v, dict)]
    return Judged(1, tuple(wrong))


def _nothing(observed: Observed) -> str:
    return observed.why_nothing if observed.locked else "discovery names no service"


def _each(
    find: Callable[[Entry], Iterator[str]],
    wanted: Callable[[Entry], bool] = lambda _: True,
    nothing: str = "",
) -> Judge:
    """A judge out of a function that looks at one entry."""

    def judge(observed: Observed) -> Judged:
        chosen = [entry for entry in observed.entries if wanted(entry)]
        problems = [f"{entry.place}{problem}" for entry in chosen for problem in find(entry)]
        return Judged(len(chosen), tuple(problems), nothing if observed.entries else _nothing(observed))

    return judge


def _has(member: str) -> Callable[[Entry], bool]:
    return lambda entry: member in entry.value


def _strings(entry: Entry) -> Iterator[str]:
    for name in ("hook", "description", "id"):
        if not is_text(entry.value.get(name)):
            yield f".{name}: {shape(entry.value[name]) if name in entry.value else 'missing'}"


def _title(entry: Entry) -> Iterator[str]:
    if not is_text(entry.value.get("title")):
        yield ".title: missing or no text"


def _prefetch(entry: Entry) -> Iterator[str]:
    given = entry.value["prefetch"]
    if not isinstance(given, dict):
        yield f".prefetch: {shape(given)}, not an object"
        return
    for number, (key, query) in enumerate(given.items()):
        if not key or not isinstance(query, str):
            yield f".prefetch, key {number + 1}: {shape(query)}, not a query"


def _usage(entry: Entry) -> Iterator[str]:
    if not isinstance(entry.value["usageRequirements"], str):
        yield f".usageRequirements: {shape(entry.value['usageRequirements'])}"


def _version(entry: Entry) -> Iterator[str]:
    version = entry.value["version"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        yield f".version: {shape(version)}, neither like 2.0.1 nor like STU2"


def _hook_version(entry: Entry) -> Iterator[str]:
    if entry.value["hookVersion"] not in HOOK_VERSIONS[entry.hook]:
        yield f".hookVersion: not one published for {entry.hook}"


def _slug(entry: Entry) -> Iterator[str]:
    if not _SLUG.fullmatch(entry.id):
        yield ".id: cannot stand in a path as it is"


BOOK.add(
    "C010-required-strings",
    Level.SHALL,
    "Every service has `hook`, `description` and `id`, as text that is not empty.",
    _each(_strings),
)
BOOK.add("C011-title", Level.SHOULD, "Every service has a title.", _each(_title))
BOOK.add(
    "C012-prefetch-object",
    Level.SHALL,
    "`prefetch`, if any, is an object of key and FHIR query.",
    _each(_prefetch, _has("prefetch"), "no service publishes prefetch templates"),
)
BOOK.add(
    "C013-usage-requirements",
    Level.SHALL,
    "`usageRequirements`, if any, is text.",
    _each(_usage, _has("usageRequirements"), "no service states usage requirements"),
)
BOOK.add(
    "C014-version",
    Level.SHOULD,
    "`version`, if any, names a version of the specification.",
    _each(_version, _has("version"), "no service states a version (recommended since the 3.0 ballot)"),
)
BOOK.add(
    "C015-hook-version",
    Level.MAY,
    "`hookVersion`, if any, is one that was published for the hook.",
    _each(
        _hook_version,
        lambda entry: "hookVersion" in entry.value and entry.hook in HOOK_VERSIONS,
        "no service states a hook version",
    ),
)
BOOK.add(
    "C016-id-in-path",
    Level.SHALL,
    "An id can stand in {base}/cds-services/{id} as it is.",
    _each(_slug, lambda entry: is_text(entry.id), "no service has an id"),
)


@BOOK.check(
    "C017-one-hook-per-id",
    Level.PROPOSAL,
    "No id is listed twice: it may be, but the CDS Hooks Sandbox then shows the last one only.",
)
def _unique(observed: Observed) -> Judged:
    ids = [entry.id for entry in observed.entries if entry.id]
    problems = [
        f"$.services: {ids.count(one)} entries have the id {one[:64]}"
        for one in set(ids)
        if ids.count(one) > 1
    ]
    return Judged(len(ids), tuple(problems), _nothing(observed))
