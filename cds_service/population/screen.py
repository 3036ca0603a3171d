"""`cds-service screen`: who is on dialysis, which factors, which rules would fire today."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cds_service.population.judge import Standing
from cds_service.population.run import Job, each_person, judge_of
from cds_service.population.trouble import Trouble
from cds_service.rules.rule import Rule

PATIENTS = "patients.ndjson"
TABLE = "patients.csv"
SUMMARY = "summary.json"
REPORT = "report.html"
_encode = msgspec.json.Encoder().encode
_standing = msgspec.json.Decoder(Standing)
_MOST_POINTS = 4000
UNKNOWN_AGE = "none usable"
AGE_BANDS = ((35, "0-35 days"), (90, "36-90 days"), (180, "91-180 days"), (10**9, "older"))


def screen_shard(job: Job, shard: int) -> list[bytes]:
    """The standing of every patient of a shard, one line each."""
    judge, _ = judge_of(job.how)
    return [
        _encode(judge.standing(person, catalogue)) + b"\n" for person, catalogue in each_person(job, shard)
    ]


def read_standings(path: Path) -> Iterator[Standing]:
    with path.open("rb") as stream:
        for line in stream:
            yield _standing.decode(line)


class Summary(msgspec.Struct):
    """The figures of a screening; no patient can be told from them."""

    as_of: str
    patients: int = 0
    members: dict[str, int] = {}
    """`yes`, `no`, `unknown` -> patients."""
    cohorts: dict[str, int] = {}
    certainties: dict[str, int] = {}
    kinds: dict[str, int] = {}
    evidence: dict[str, int] = {}
    """Form of evidence -> members found by it; several forms may hold for one patient."""
    only_by: dict[str, int] = {}
    """Form of evidence -> members found by it alone."""
    rules: dict[str, dict[str, int]] = {}
    """Rule -> outcome (with tier) -> patients."""
    modes: dict[str, str] = {}
    factors: dict[str, dict[str, int]] = {}
    """Factor -> state -> members."""
    ages: dict[str, dict[str, int]] = {}
    """Analyte -> age of the newest usable result -> members."""
    points: list[tuple[float, float]] = []
    point_count: int = 0
    gaps: dict[str, int] = {}
    troubles: list[Trouble] = []
    resources: dict[str, int] = {}
    unknown_because: dict[str, int] = {}


def summarise(standings: Iterator[Standing], as_of: str, rules: tuple[Rule, ...], modes: Any) -> Summary:
    """Fold the standings into figures, in one pass and in little memory."""
    tally = _Tally(rules)
    for item in standings:
        tally.take(item)
    return tally.summary(as_of, dict(modes))


class _Tally:
    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.members: Counter[str] = Counter({"yes": 0, "unknown": 0, "no": 0})
        self.cohorts: Counter[str] = Counter()
        self.certainties: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.evidence: Counter[str] = Counter()
        self.only_by: Counter[str] = Counter()
        self.rules: dict[str, Counter[str]] = {rule.id: Counter() for rule in rules}
        self.factors: dict[str, Counter[str]] = {}
        self.ages: dict[str, Counter[str]] = {}
        self.gaps: Counter[str] = Counter()
        self.because: Counter[str] = Counter()
        self.points: list[tuple[float, float]] = []
        self.point_count = 0
        self.patients = 0

    def take(self, item: Standing) -> None:
        self.patients += 1
        self.members[item.member] += 1
        self.cohorts[item.cohort] += 1
        told = {rule.rule: rule for rule in item.rules}
        for ident, outcomes in self.rules.items():
            rule = told.get(ident)
            if rule is None:
                outcomes["clear"] += 1
            else:
                tier = f"{rule.indicator} {rule.branch}".strip()
                outcomes[f"{rule.outcome}{f' ({tier})' if tier else ''}"] += 1
        self.gaps.update({gap.partition(":")[0] for gap in item.gaps})
        if item.member == "unknown":
            self.because[_without_values(item.because)] += 1
        if item.member == "yes":
            self._member(item)

    def _member(self, item: Standing) -> None:
        self.certainties[item.certainty] += 1
        self.kinds[item.kind or "not recorded"] += 1
        self.evidence.update(item.evidence)
        if len(item.evidence) == 1:
            self.only_by[item.evidence[0]] += 1
        for factor, state in item.factors.items():
            self.factors.setdefault(factor, Counter())[state] += 1
        for analyte, age in item.ages.items():
            self.ages.setdefault(analyte, Counter())[_band(age)] += 1
        if item.point is not None:
            self.point_count += 1
            if len(self.points) < _MOST_POINTS:
                self.points.append(item.point[:2])

    def summary(self, as_of: str, modes: dict[str, str]) -> Summary:
        return Summary(
            as_of=as_of,
            patients=self.patients,
            members=dict(self.members),
            cohorts=dict(self.cohorts.most_common()),
            certainties=dict(self.certainties),
            kinds=dict(self.kinds),
            evidence=dict(self.evidence.most_common()),
            only_by=dict(self.only_by.most_common()),
            rules={rule: dict(sorted(found.items())) for rule, found in self.rules.items()},
            modes=modes,
            factors={factor: dict(found) for factor, found in self.factors.items()},
            ages={analyte: dict(found) for analyte, found in self.ages.items()},
            points=self.points,
            point_count=self.point_count,
            gaps=dict(self.gaps.most_common()),
            unknown_because=dict(self.because.most_common()),
        )


def _band(age: int | None) -> str:
    return UNKNOWN_AGE if age is None else next(name for most, name in AGE_BANDS if age <= most)


def _without_values(because: str) -> str:
    """The kind of reason, without the words of one record."""
    return because.rpartition(", but ")[2] or because


def write_table(standings: Iterator[Standing], target: Path) -> None:
    """The standings as CSV: one row for each patient, lists joined by `;`."""
    beside = target.with_name(f"{target.name}.part")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        beside.chmod(0o600)
        table = csv.writer(stream)
        table.writerow(
            [
                "patient",
                "member",
                "certainty",
                "cohort",
                "kind",
                "evidence",
                "fires",
                "cannot_assess",
                "factors_present",
                "x",
                "y",
                "sampled",
            ]
        )
        for item in standings:
            table.writerow([_cell(value) for value in _row(item)])
    beside.replace(target)


def _row(item: Standing) -> tuple[object, ...]:
    fires = [f"{rule.rule} ({rule.indicator})" for rule in item.rules if rule.outcome == "fires"]
    open_rules = [rule.rule for rule in item.rules if rule.outcome == "cannot-assess"]
    present = [factor for factor, state in item.factors.items() if state == "present"]
    x, y, day = item.point or ("", "", "")
    lists = (";".join(found) for found in (item.evidence, fires, open_rules, present))
    return (item.patient, item.member, item.certainty, item.cohort, item.kind, *lists, x, y, day)


def _cell(value: object) -> object:
    """An id that a spreadsheet would run as a formula is kept as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def table_text(rows: list[list[object]]) -> str:
    """Rows as CSV text."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
