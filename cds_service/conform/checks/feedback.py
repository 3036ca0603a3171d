"""Feedback: optional for a service, but then in every shape (section 2.8)."""

from __future__ import annotations

from cds_service.conform.checks.statuses import Accept, accepted, refused
from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.nodes import cards
from cds_service.conform.observed import Observed

BOOK = Book()
_NOT_OFFERED = (404, 405, 501)


def _offering(observed: Observed) -> dict[str, bool]:
    """Service -> whether it takes feedback at all."""
    found: dict[str, bool] = {}
    for seen in observed.seen:
        if seen.kind == "feedback" and seen.probe != "feedback-unknown-card":
            offered = seen.answer.status not in _NOT_OFFERED
            found[seen.service] = found.get(seen.service, False) or offered
    return found


def _why(observed: Observed) -> str:
    if not observed.options.feedback:
        return "feedback was left out (--no-feedback)"
    return "the service takes no feedback" if observed.of("complete") else observed.why_nothing


def _statuses(probes: tuple[str, ...], accept: Accept, want: str) -> Judge:
    def judge(observed: Observed) -> Judged:
        offering = _offering(observed)
        found = [s for s in observed.of(*probes) if offering.get(s.service)]
        problems = [f"{s.place}: {s.answer.told}, not {want}" for s in found if not accept(s.answer.status)]
        return Judged(len(found), tuple(problems), _why(observed))

    return judge


@BOOK.check(
    "S2.8-endpoint-behind-uuids",
    Level.SHOULD,
    "A service whose cards have uuids takes feedback at {base}/cds-services/{id}/feedback.",
)
def _endpoint(observed: Observed) -> Judged:
    offering = _offering(observed)
    showing = {node.seen.service for node in cards(observed) if "uuid" in node.value} & set(offering)
    problems = [
        f"{name}: cards have uuids, but there is no feedback" for name in showing if not offering[name]
    ]
    nothing = "no card with a uuid was seen" if observed.options.feedback else _why(observed)
    return Judged(len(showing), tuple(problems), nothing)


for _id, _level, _text, _probes, _fatal in (
    ("accepted", Level.SHALL, "An accepted suggestion is taken.", ("feedback-accepted",), True),
    ("overridden", Level.SHALL, "An override without a reason is taken.", ("feedback-overridden",), True),
    (
        "override-reason",
        Level.SHALL,
        "An override with a coded reason and a comment is taken.",
        ("feedback-override-reason",),
        True,
    ),
    (
        "comment-only",
        Level.SHALL,
        "An override with a comment alone is taken.",
        ("feedback-comment-only",),
        True,
    ),
    (
        "override-reasons",
        Level.PROPOSAL,
        "The spelling overrideReasons with an array, as Epic sends it, is taken.",
        ("feedback-override-reasons",),
        False,
    ),
    (
        "fraction-of-second",
        Level.SHALL,
        "A timestamp with fractions of a second is taken.",
        ("feedback-fraction",),
        True,
    ),
    (
        "batch",
        Level.SHALL,
        "Several items, also two about the same card, are taken in one request.",
        ("feedback-batch",),
        True,
    ),
    (
        "unknown-card",
        Level.PROPOSAL,
        "Feedback about a card that the service no longer knows is taken.",
        ("feedback-unknown-card",),
        False,
    ),
    ("extension", Level.SHALL, "Feedback with an extension is taken.", ("feedback-extension",), True),
):
    BOOK.add(
        f"S2.8-{_id}",
        _level,
        _text,
        _statuses(_probes, accepted, "2xx"),
        rows=(90,) if _id == "extension" else (),
        fatal=_fatal,
    )
for _id, _text in (
    ("malformed", "A body that is not JSON is refused, not acknowledged."),
    ("without-array", "A body without an array `feedback` is refused, not acknowledged."),
):
    BOOK.add(
        f"S2.8-{_id}",
        Level.PROPOSAL,
        _text,
        _statuses((f"feedback-{_id}",), refused, "4xx"),
        fatal=True,
    )
