"""JSON over HTTPS, without nulls and empty members (sections 2.1 and 2.10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from cds_service.conform.http import is_loopback
from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.observed import Observed, Seen

BOOK = Book()
_MAY_BE_EMPTY = ("$.cards", "$.services")
_TRACES = re.compile(
    rb"Traceback \(most recent call last\)|\n\s+at [\w.$<>]+\(|Exception in thread|panic: |goroutine \d+ \["
)


@BOOK.check("C001-https", Level.SHALL, "A production service is reached by https, with TLS 1.2 or newer.")
def _https(observed: Observed) -> Judged:
    if observed.base.startswith("https:"):
        # Our TLS client refuses anything older than 1.2, so an answer is proof.
        answered = [seen for seen in observed.of("discovery") if seen.answer.status]
        return Judged(1) if answered else Judged(1, ("no TLS 1.2 connection could be made",))
    if observed.options.production:
        return Judged(1, ("the address is plain http",))
    where = "on this machine" if is_loopback(observed.base) else "but not called production (--production)"
    return Judged(nothing=f"plain http {where}")


@BOOK.check("C001-json-content-type", Level.SHOULD, "A JSON answer says so in its Content-Type.")
def _content_type(observed: Observed) -> Judged:
    answers = [
        seen
        for seen in observed.seen
        if seen.kind in ("discovery", "call") and isinstance(seen.answer.document, dict)
    ]
    problems = [
        f"{seen.place}: Content-Type is {'another' if 'content-type' in seen.answer.headers else 'missing'}"
        for seen in answers
        if not seen.answer.says_json
    ]
    return Judged(len(answers), tuple(problems), "no JSON answer")


def _walk(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every member and element below a document, with its place."""
    pairs: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, dict):
        pairs = ((f"{path}.{name}", part) for name, part in value.items())
    elif isinstance(value, list):
        pairs = ((f"{path}[{index}]", part) for index, part in enumerate(value))
    for place, part in pairs:
        yield place, part
        yield from _walk(part, place)


def _walker(wrong: Callable[[str, Any], str]) -> Judge:
    def judge(observed: Observed) -> Judged:
        documents = [seen for seen in observed.seen if isinstance(seen.answer.document, dict | list)]
        told: dict[str, str] = {}
        for seen in documents:
            for place, value in _walk(seen.answer.document):
                problem = wrong(place, value)
                if problem:
                    kind = re.sub(r"\d+", "#", place)
                    told.setdefault(kind, f"{seen.place} {place}: {problem}")
        return Judged(len(documents), tuple(told.values()), "no JSON answer")

    return judge


BOOK.add(
    "C002-no-null",
    Level.SHALL,
    "No member of any answer is null; what has no value is left out.",
    _walker(lambda _, value: "null" if value is None else ""),
    rows=(4,),
)
BOOK.add(
    "C003-no-empty",
    Level.SHALL,
    "No empty string, array or object in any answer, but for the lists of cards and of services.",
    _walker(
        lambda place, value: (
            f"empty {'string' if value == '' else 'array' if value == [] else 'object'}"
            if value in ("", [], {}) and not (place in _MAY_BE_EMPTY and value == [])
            else ""
        )
    ),
    rows=(4,),
)


@BOOK.check(
    "C006-strict-json",
    Level.SHALL,
    "What is called JSON is JSON: no comments, trailing commas, NaN, or text around it.",
)
def _strict(observed: Observed) -> Judged:
    labelled = [seen for seen in observed.seen if seen.answer.says_json and seen.answer.body]
    problems = [
        f"{seen.place}: the body is not JSON"
        for seen in labelled
        if not isinstance(seen.answer.document, dict | list)
    ]
    return Judged(len(labelled), tuple(problems), "no answer is called JSON")


def is_outcome(document: Any) -> bool:
    """Whether a document has the shape of an OperationOutcome with at least one issue."""
    if not isinstance(document, dict) or document.get("resourceType") != "OperationOutcome":
        return False
    issues = document.get("issue")
    return (
        isinstance(issues, list)
        and bool(issues)
        and all(
            isinstance(issue, dict)
            and isinstance(issue.get("severity"), str)
            and isinstance(issue.get("code"), str)
            for issue in issues
        )
    )


@BOOK.check(
    "C040-errors-are-outcomes",
    Level.SHOULD,
    "An error carries an OperationOutcome; a refusal of the caller (401, 403) may be bare.",
)
def _outcomes(observed: Observed) -> Judged:
    errors = [
        seen
        for seen in observed.seen
        if seen.kind != "cors" and seen.answer.status >= 400 and seen.answer.status not in (401, 403)  # noqa: PLR2004
    ]
    problems = [
        f"{seen.place}: status {seen.answer.status} without an OperationOutcome"
        for seen in errors
        if not is_outcome(seen.answer.document)
    ]
    return Judged(len(errors), tuple(problems), "no error was seen")


@BOOK.check("S2.10-no-stack-trace", Level.PROPOSAL, "No answer shows the inside of the program.", fatal=True)
def _no_trace(observed: Observed) -> Judged:
    answers = [seen for seen in observed.seen if seen.answer.status]
    problems = [
        f"{seen.place}: looks like a stack trace" for seen in answers if _TRACES.search(seen.answer.body)
    ]
    return Judged(len(answers), tuple(problems), "no answer")


@BOOK.check(
    "C018-success-is-200",
    Level.SHALL,
    "A call succeeds with 200 or fails with a status of 400 or more; nothing between.",
)
def _success(observed: Observed) -> Judged:
    answered = [seen for seen in observed.seen if seen.kind == "call" and seen.answer.status]
    problems = [
        f"{seen.place}: status {seen.answer.status}"
        for seen in answered
        if seen.answer.status != 200 and seen.answer.status < 400  # noqa: PLR2004
    ]
    return Judged(len(answered), tuple(problems), observed.why_nothing)


@BOOK.check("C027-latency", Level.SHOULD, "A complete call is answered in about half a second.")
def _latency(observed: Observed) -> Judged:
    by_service: dict[str, list[Seen]] = {}
    for seen in observed.of("latency"):
        if seen.answer.status:
            by_service.setdefault(seen.service, []).append(seen)
    typical = {name: median(s.answer.milliseconds for s in found) for name, found in by_service.items()}
    limit = observed.options.budget_ms
    problems = [f"{name}: median {ms:.0f} ms, over {limit} ms" for name, ms in typical.items() if ms > limit]
    note = ", ".join(f"{name} {ms:.1f} ms" for name, ms in typical.items())
    return Judged(
        sum(map(len, by_service.values())), tuple(problems), observed.why_nothing, f"median: {note}"
    )
