"""Rules for FHIR searches: which addresses may be called, how pages merge, what an outcome means.

No input or output happens here. `client.py` sends the reads; `prefetch.py` applies the same rules to what
arrived with the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import msgspec

from cds_service.fhir.decode import (
    DecodeFailure,
    Dropped,
    Entry,
    IssueDetail,
    Resource,
    Response,
    Search,
    decode_resource,
)
from cds_service.fhir.results import FailureReason, Fetched, Incomplete

_UNCLEAN = re.compile(r"[\\\x00-\x1f]")


class Page(msgspec.Struct, frozen=True):
    """One Bundle, with its outcome entries judged.

    `included` are the resources that came along with the answer; `problem` is set when the Bundle has nothing
    but an outcome that does not mean "no results".
    """

    resources: list[Resource]
    included: list[Resource]
    problem: FailureReason | None
    next_link: str | None
    gaps: tuple[Incomplete, ...]


def clean_base(base: str) -> str | None:
    """`base` without its trailing slash, or None if it is no http(s) address we would ever call."""
    parts = _split(base)
    if parts is None or parts.query or parts.fragment:
        return None
    return base.rstrip("/")


def address_under(base: str, url: str, named: str | None = None) -> str | None:
    """The absolute `url` rewritten to start with exactly `base`; None if it lies elsewhere.

    Scheme, host, port and path must agree with `base` or with `named` (the base as the EHR names it), and no
    path step may lead out again. Putting our own base in front means that no two URL parsers can disagree
    about the host that is called.
    """
    for root in (base, named):
        below = None if root is None else _below(root, url)
        if below is not None:
            return base.rstrip("/") + below
    return None


def next_address(base: str, current: str, link: str, named: str | None = None) -> str | None:
    """Where a `next` link leads, seen from the page at `current`; None if that is not under `base`."""
    if not _is_clean(link):
        return None
    # A relative link is relative to the page; some servers mean the base.
    for start in (current, f"{base}/"):
        try:
            address = address_under(base, urljoin(start, link), named)
        except ValueError:
            return None
        if address is not None:
            return address
    return None


def _below(root: str, url: str) -> str | None:
    want, have = _root(root), _split(url)
    if want is None or have is None:
        return None
    (origin, path), found = want, have.path
    if origin != _origin(have) or (found != path and not found.startswith(f"{path}/")):
        return None
    rest = found[len(path) :]
    # A doubly encoded step (`%252e`) could be decoded twice on the far side.
    if "%25" in rest or {".", ".."} & set(unquote(rest).split("/")):
        return None
    return rest + (f"?{have.query}" if have.query else "")


# Bases of FHIR servers: configured, few, nobody's data.
@lru_cache(maxsize=256)
def _root(base: str) -> tuple[tuple[str, str | None, int], str] | None:
    parts = _split(base)
    return None if parts is None else (_origin(parts), parts.path.rstrip("/"))


def _is_clean(url: str) -> bool:
    # urlsplit silently removes control characters, and other parsers take a backslash for a slash.
    return _UNCLEAN.search(url) is None


def _split(url: str) -> SplitResult | None:
    if not _is_clean(url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable and "@" not in parts.netloc else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


_LEFT_OUT = (frozenset[str](), frozenset({"_sort", "_count"}), frozenset({"_sort", "_count", "code"}))
SIMPLEST = len(_LEFT_OUT) - 1
"""The highest level of `simplified`."""


def simplified(query: str, level: int) -> str:
    """`query` without parameters that some servers refuse: level 1 drops `_sort` and `_count`, 2 also `code`.

    The answer then holds more than was asked for; the caller filters.
    """
    path, mark, parameters = query.partition("?")
    names = _LEFT_OUT[level]
    kept = [part for part in parameters.split("&") if part.partition("=")[0].partition(":")[0] not in names]
    return f"{path}{mark}{'&'.join(kept)}"


def resource_type_of(query: str) -> str:
    """`Condition` of `Condition?patient=1`, `Patient` of `Patient/1`; empty for an opaque paging link.

    `query` is relative to the FHIR base.
    """
    step = query.partition("?")[0].partition("/")[0]
    return step if step[:1].isupper() else ""


def is_bundle(resource: Resource) -> bool:
    """Whether this is a Bundle; one that lost its resourceType still counts."""
    return resource.resourceType == "Bundle" or (resource.resourceType is None and resource.entry is not None)


def read_page(bundle: Resource) -> Page:
    """The resources of a Bundle without its outcomes, what the outcomes say, and the link to the next page."""
    resources: list[Resource] = []
    included: list[Resource] = []
    outcomes: list[Resource] = []
    gaps: list[Incomplete] = []
    for entry in bundle.entry or ():
        resource = None if entry is None else entry.resource
        if entry is None or resource is None or resource.resourceType is None:
            gaps.append(Incomplete.ENTRIES)
        elif resource.resourceType == "OperationOutcome":
            outcomes.append(resource)
        elif entry.search is not None and entry.search.mode == "include":
            included.append(resource)
        else:
            resources.append(resource)
    nothing_else = not resources and not included
    problems = (problem_of(outcome, nothing_else=nothing_else) for outcome in outcomes)
    problem = next((found for found in problems if found is not None), None)
    if problem is not None and not nothing_else:
        gaps.append(Incomplete.PROBLEM)
        problem = None
    return Page(resources, included, problem, _link(bundle, "next"), tuple(dict.fromkeys(gaps)))


def self_type(bundle: Resource) -> str:
    """The resource type that this Bundle is the answer for, from its `self` link; empty if it does not say."""
    path = (_link(bundle, "self") or "").partition("?")[0]
    return resource_type_of(path.removesuffix("/_search").rpartition("/")[2])


def _link(bundle: Resource, relation: str) -> str | None:
    if not bundle.link:
        return None
    return next((link.url for link in bundle.link if link.relation == relation and link.url), None)


_REASON_OF_STATUS = {
    401: FailureReason.NOT_PERMITTED,
    403: FailureReason.NOT_PERMITTED,
    404: FailureReason.NOT_FOUND,
    408: FailureReason.NO_ANSWER_IN_TIME,
    410: FailureReason.NOT_FOUND,
    429: FailureReason.SERVER_BUSY,
    503: FailureReason.SERVER_BUSY,
    504: FailureReason.NO_ANSWER_IN_TIME,
}
_REASON_OF_CLASS = {
    3: FailureReason.REDIRECTED,
    4: FailureReason.REPORTED_PROBLEM,
    5: FailureReason.SERVER_ERROR,
}


def reason_of_status(status: int) -> FailureReason:
    """What an HTTP status other than 200 means for a read. 204 and the like hold no FHIR either."""
    return _REASON_OF_STATUS.get(status) or _REASON_OF_CLASS.get(status // 100, FailureReason.NOT_FHIR)


def status_number(status: str) -> int:
    """200 of `200 OK`, the form in which Bundles and old prefetch wrappers write it; 0 if it is none."""
    digits = status[:3]
    return int(digits) if len(digits) == len("200") and digits.isascii() and digits.isdecimal() else 0


_REASON_OF_CODE = {
    "login": FailureReason.NOT_PERMITTED,
    "expired": FailureReason.NOT_PERMITTED,
    "forbidden": FailureReason.NOT_PERMITTED,
    "security": FailureReason.NOT_PERMITTED,
    "suppressed": FailureReason.NOT_PERMITTED,
    "not-found": FailureReason.NOT_FOUND,
    "deleted": FailureReason.NOT_FOUND,
    "timeout": FailureReason.NO_ANSWER_IN_TIME,
    "throttled": FailureReason.SERVER_BUSY,
    "transient": FailureReason.SERVER_BUSY,
    "exception": FailureReason.SERVER_ERROR,
}
_EPIC_NO_RESULTS = "4101"
_EPIC_SYSTEM = "urn:oid:1.2.840.114350."


def problem_of(outcome: Resource, *, nothing_else: bool) -> FailureReason | None:
    """What an OperationOutcome complains of; None if it is for information only.

    Args:
        outcome: The OperationOutcome. Without issues it counts as a complaint.
        nothing_else: It stands in a Bundle without data. Only there does Epic's documented "no results"
            warning (4101) mean that none exist. Any other warning may hide data we are not permitted to see.
    """
    harmful = [
        issue
        for issue in outcome.issue or ()
        if issue.severity not in {"information", "success"} and not (nothing_else and _no_results(issue))
    ]
    if outcome.issue and not harmful:
        return None
    code = harmful[0].code if harmful else None
    return _REASON_OF_CODE.get(code or "", FailureReason.REPORTED_PROBLEM)


def _no_results(issue: IssueDetail) -> bool:
    codings = issue.details.coding if issue.details is not None else []
    return issue.severity == "warning" and any(
        str(coding.code) == _EPIC_NO_RESULTS
        and (coding.system is None or coding.system.startswith(_EPIC_SYSTEM))
        for coding in codings
    )


_INCLUDE = Search("include")


class Pages:
    """The answer to one query, merged page by page."""

    def __init__(self, wanted: str, *, search: bool) -> None:
        """Expect a Bundle if `search`, else one resource of type `wanted`."""
        self._wanted = wanted
        self._search = search
        self._entries: list[Entry | None] = []
        self._gaps: list[Incomplete] = []
        self._single: Resource | None = None
        self.dropped: list[Dropped] = []
        self.count = 0
        self.next_link: str | None = None

    def add(self, body: bytes) -> FailureReason | None:
        """Take in one page. A reason means that this page is of no use and nothing of it was taken."""
        self.count += 1
        path = (self._wanted or "Bundle") + (f"(page {self.count})" if self.count > 1 else "")
        answer = decode_resource(body, path, self.dropped)
        if answer is None:
            return FailureReason.NOT_FHIR
        if answer.resourceType == "OperationOutcome":
            return problem_of(answer, nothing_else=False) or FailureReason.REPORTED_PROBLEM
        if not self._search:
            self._single = answer
            return None if answer.resourceType == self._wanted else FailureReason.NOT_FHIR
        if not is_bundle(answer):
            return FailureReason.NOT_FHIR
        page = read_page(answer)
        if page.problem is not None:
            return page.problem
        self._entries += [Entry(resource=found) for found in page.resources]
        self._entries += [Entry(search=_INCLUDE, resource=found) for found in page.included]
        self._gaps += page.gaps
        self.next_link = page.next_link
        return None

    def fetched(self, seconds: float, *, cut: bool) -> Fetched:
        """What has been read until now; `cut` says that more pages exist."""
        gaps = [*self._gaps]
        gaps += [Incomplete.ENTRIES] * may_concern(self._wanted, self.dropped) + [Incomplete.PAGES] * cut
        resource = self._single or Resource(resourceType="Bundle", type="searchset", entry=[*self._entries])
        return Fetched(resource, not gaps, tuple(self.dropped), seconds, tuple(dict.fromkeys(gaps)))


def may_concern(resource_type: str, dropped: Sequence[Dropped]) -> bool:
    """Whether one of `dropped` may have been of this type; a lost entry does not always say what it was."""
    return any(lost.resource_type in {resource_type, None, "Bundle"} or not resource_type for lost in dropped)


class _BatchEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")
    response: Response | None = None


class _BatchAnswer(msgspec.Struct):
    entry: list[_BatchEntry]


_batch_answer = msgspec.json.Decoder(_BatchAnswer, strict=False)


def batch_bundle(queries: Sequence[str]) -> bytes:
    """A batch Bundle of GETs, one per query."""
    entries = [{"request": {"method": "GET", "url": query}} for query in queries]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "batch", "entry": entries})


def batch_answers(body: bytes, expected: int) -> list[tuple[int, bytes]] | None:
    """HTTP status and body for each entry of a batch-response, in order; None if it is not one.

    The bodies stay undecoded, so that one broken resource costs its own query only.
    """
    try:
        entries = _batch_answer.decode(body).entry
    except DecodeFailure:
        return None
    if len(entries) != expected:
        return None
    return [
        (status_number(str(entry.response.status) if entry.response else ""), bytes(entry.resource))
        for entry in entries
    ]
