"""What a check is and what it found; nothing here knows a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.conform.observed import Observed

_ID = re.compile(r"(C(\d{3})|S\d\.\d+)-[a-z0-9]+(-[a-z0-9]+)*")
MAX_EVIDENCE = 4


class Level(StrEnum):
    """How binding a rule is. A proposal is ours: the specification leaves it open."""

    SHALL = "SHALL"
    SHOULD = "SHOULD"
    MAY = "MAY"
    PROPOSAL = "proposal"


class Verdict(StrEnum):
    """`fail` spoils the run, `warn` does not; `skip` says why nothing could be judged."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Judged:
    """How much a check looked at, what was wrong there, and why it looked at nothing."""

    examined: int = 0
    problems: tuple[str, ...] = ()
    nothing: str = ""
    note: str = ""


Judge = Callable[[Observed], Judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule. `rows` are the rows of the checklist it proves; a violation of a fatal check fails the run."""

    id: str
    level: Level
    text: str
    judge: Judge
    rows: tuple[int, ...] = ()
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one check; `evidence` holds places and shapes, never values of a patient."""

    id: str
    level: Level
    text: str
    rows: tuple[int, ...]
    verdict: Verdict
    examined: int = 0
    evidence: tuple[str, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Book:
    """The checks of one module, in the order in which they are written."""

    checks: list[Check] = field(default_factory=list)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def add(
        self,
        id_: str,
        level: Level,
        text: str,
        judge: Judge,
        *,
        rows: Iterable[int] = (),
        fatal: bool | None = None,
    ) -> None:
        """Write a check down; a SHALL is fatal unless said otherwise.

        Raises:
            ValueError: the id does not carry a row or section of the checklist.
        """
        found = _ID.fullmatch(id_)
        if found is None:
            raise ValueError(f"no check id: {id_}")
        own = (int(found[2]),) if found[2] else ()
        binding = level is Level.SHALL if fatal is None else fatal
        numbers = tuple(dict.fromkeys((*own, *rows)))
        self.checks.append(Check(id=id_, level=level, text=text, judge=judge, rows=numbers, fatal=binding))

    def check(
        self, id_: str, level: Level, text: str, *, rows: Iterable[int] = (), fatal: bool | None = None
    ) -> Callable[[Judge], Judge]:
        """The same as a decorator."""

        def register(judge: Judge) -> Judge:
            self.add(id_, level, text, judge, rows=rows, fatal=fatal)
            return judge

        return register


def result_of(check: Check, observed: Observed) -> Result:
    """Judge, and tell it."""
    judged = check.judge(observed)
    found = tuple(dict.fromkeys(judged.problems))
    if found:
        verdict = Verdict.FAIL if check.fatal else Verdict.WARN
    else:
        verdict = Verdict.PASS if judged.examined else Verdict.SKIP
    shown = found[:MAX_EVIDENCE]
    if len(found) > MAX_EVIDENCE:
        shown = (*shown, f"and {len(found) - MAX_EVIDENCE} more")
    return Result(
        id=check.id,
        level=check.level,
        text=check.text,
        rows=check.rows,
        verdict=verdict,
        examined=judged.examined,
        evidence=shown,
        reason=(judged.nothing or "nothing to judge") if verdict is Verdict.SKIP else judged.note,
    )
