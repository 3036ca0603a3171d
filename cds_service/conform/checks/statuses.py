"""Judges that look at nothing but the status of some probes."""

from __future__ import annotations

from collections.abc import Callable

from cds_service.conform.model import Judge, Judged
from cds_service.conform.observed import Observed, Seen

Accept = Callable[[int], bool]


def refused(status: int) -> bool:
    """The client's mistake, told as such."""
    return 400 <= status < 500  # noqa: PLR2004


def answered(status: int) -> bool:
    """Cards, or "required data are missing"."""
    return status in (200, 412)


def no_crash(status: int) -> bool:
    """Anything but a server error or silence."""
    return 0 < status < 500  # noqa: PLR2004


def accepted(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004


def statuses(probes: tuple[str, ...], accept: Accept, want: str, nothing: str = "") -> Judge:
    """Every exchange of these probes has an acceptable status."""

    def judge(observed: Observed) -> Judged:
        found = observed.of(*probes)
        problems = [f"{s.place}: {s.answer.told}, not {want}" for s in found if not accept(s.answer.status)]
        does_not_apply = nothing if observed.of("complete") else observed.why_nothing
        return Judged(len(found), tuple(problems), does_not_apply)

    return judge


def as_complete(probes: tuple[str, ...], nothing: str = "") -> Judge:
    """Every exchange of these probes has the status of the complete call to the same service."""

    def judge(observed: Observed) -> Judged:
        expected = {s.service: s.answer.status for s in observed.of("complete")}
        found = observed.of(*probes)
        problems = [
            _difference(s, expected[s.service]) for s in found if s.answer.status != expected[s.service]
        ]
        return Judged(len(found), tuple(problems), nothing if expected else observed.why_nothing)

    return judge


def _difference(seen: Seen, expected: int) -> str:
    return f"{seen.place}: {seen.answer.told}, but {expected} without this change"
