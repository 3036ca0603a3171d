"""`cds-service doctor --data`: are a site's data good enough, rule by rule?"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from cds_service.clients.profile import ClientProfile
from cds_service.content.reach import Reach
from cds_service.engine import Engine
from cds_service.population.export import open_export
from cds_service.population.inventory import Inventory, InventoryTask, read_inventory, take_inventory
from cds_service.population.judge import build_judge, judging, service_for_hook
from cds_service.population.run import RANGE_BYTES, Progress, Tell, run
from cds_service.population.screen import (
    PATIENTS,
    UNKNOWN_AGE,
    Summary,
    read_standings,
    screen_shard,
    summarise,
)
from cds_service.population.workers import workers
from cds_service.rules.rule import Rule
from cds_service.rules.standing import StandingView

MOST_ROWS = 40
_STEM = 6
"""Letters by which words remind of an analyte: Calcium total, Phosphor anorg."""
MOST_UNMAPPED = 0.1
"""Results with codes of the site's own against results that can be read, above which a mapping comes first."""
LEAST_USABLE = 0.8
"""Share of an analyte's results that can be used, below which the rules that read it should wait."""
LEAST_COVERED = 0.5
"""Share of members with any usable result of an analyte, below which the rules that read it should wait."""
LEAST_NAMED = 0.8
"""Share of orders whose drug is named by a code or in words that are understood or coded by the site."""
MOST_OPEN = 0.1
"""Share of members for whom a chart rule cannot be assessed, above which it should wait."""


class Row(msgspec.Struct, omit_defaults=True):
    name: str
    count: int
    looks_like: str = ""
    """For a code that is not mapped: the analyte that its words remind of."""


class AnalyteState(msgspec.Struct):
    """How one analyte stands."""

    analyte: str
    results: int
    usable: float
    units: list[Row]
    reasons: list[Row]
    covered: float | None
    """Share of members with a usable result; None for an analyte that is not reported."""


class Verdict(msgspec.Struct):
    """Go, or what to fix first."""

    rule: str
    verdict: str
    reasons: list[str]


class Readiness(msgspec.Struct):
    """The state of a site's data."""

    as_of: str
    summary: Summary
    analytes: list[AnalyteState]
    unmapped_labs: list[Row]
    unmapped_drugs: list[Row]
    drugs: dict[str, int]
    shapes: list[Row]
    zones: list[Row]
    verdicts: list[Verdict]

    @property
    def ready(self) -> bool:
        return all(item.verdict == "go" for item in self.verdicts)


def examine(
    engine: Engine,
    profile: ClientProfile,
    source: Path,
    *,
    as_of: datetime | None,
    work: Path,
    processes: int,
    scheduler: str | None,
    tell: Tell,
) -> Readiness:
    """Screen the source and take its inventory; `work` is a folder that is emptied afterwards.

    Raises:
        SettingsError: there is no export at `source`.
    """
    export = open_export(source)
    how = judging(engine, profile, as_of or engine.settings.as_of or export.as_of or engine.now())
    ranges = export.ranges(RANGE_BYTES)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with workers(processes, scheduler) as at_work:
            tasks = [InventoryTask(how, part, str(work.resolve())) for part in ranges]
            for done, _ in enumerate(at_work.run(take_inventory, tasks), 1):
                tell(Progress("Counting", done, len(tasks)))
            outcome = run(
                source.resolve(), work.resolve(), how, screen_shard, at_work, target=PATIENTS, tell=tell
            )
        inventory = read_inventory(work, len(ranges))
        judge = build_judge(how)
        rules = tuple(rule for rule, _ in judge.rules)
        summary = summarise(read_standings(work / PATIENTS), how.as_of.isoformat(), rules, how.modes)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    summary.troubles = list(outcome.troubles)
    summary.resources = outcome.resources
    summary.points = []
    signing = [use.rule for use in service_for_hook(engine, "order-sign").service.rules]
    every = sorted({rule.id: rule for rule in (*rules, *signing)}.values(), key=lambda rule: rule.number)
    analytes = list(_analytes(inventory, summary, judge.view))
    unmapped = _unmapped_labs(inventory, judge.view)
    return Readiness(
        as_of=summary.as_of,
        summary=summary,
        analytes=analytes,
        unmapped_labs=unmapped,
        unmapped_drugs=_rows(inventory.unmapped_drugs),
        drugs=dict(inventory.drugs.most_common()),
        shapes=_rows(inventory.shapes),
        zones=_rows(inventory.zones),
        verdicts=[
            _verdict(rule, {a.analyte: a for a in analytes}, unmapped, inventory, summary) for rule in every
        ],
    )


def _rows(counter: Counter[str]) -> list[Row]:
    return [Row(name, count) for name, count in counter.most_common(MOST_ROWS)]


def _unmapped_labs(inventory: Inventory, view: StandingView) -> list[Row]:
    """Codes that no rule reads; those whose words remind of an analyte come first."""
    rows = []
    for name, count in inventory.unmapped_labs.most_common():
        words = name.rpartition("|")[2].lower()
        like = next((a.id for a in view.analytes if a.title.lower()[:_STEM] in words), "")
        rows.append(Row(name, count, like))
    return sorted(rows, key=lambda row: not row.looks_like)[:MOST_ROWS]


def _of(counter: Counter[str], analyte: str) -> list[Row]:
    found = Counter({key.partition("|")[2]: n for key, n in counter.items() if key.startswith(f"{analyte}|")})
    return _rows(found)


def _analytes(inventory: Inventory, summary: Summary, view: StandingView) -> Iterator[AnalyteState]:
    members = summary.members["yes"]
    reported = {analyte.id for analyte in view.analytes}
    for analyte in sorted(inventory.results.keys() | reported):
        results = inventory.results[analyte]
        reasons = _of(inventory.unusable, analyte)
        lost = sum(row.count for row in reasons)
        covered = None
        if analyte in reported and members:
            covered = 1 - summary.ages.get(analyte, {}).get(UNKNOWN_AGE, 0) / members
        yield AnalyteState(
            analyte=analyte,
            results=results,
            usable=round(1 - lost / results, 4) if results else 0.0,
            units=_of(inventory.units, analyte),
            reasons=reasons,
            covered=None if covered is None else round(covered, 4),
        )


def _verdict(
    rule: Rule,
    analytes: dict[str, AnalyteState],
    unmapped: list[Row],
    inventory: Inventory,
    summary: Summary,
) -> Verdict:
    reasons = [
        *_about_sources(rule, summary),
        *_about_results(rule, analytes, unmapped),
        *_about_drugs(rule, inventory),
        *_about_answers(rule, summary),
    ]
    return Verdict(rule.id, "fix first" if reasons else "go", reasons)


_TYPES = {
    "patient": "Patient",
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}


def _about_sources(rule: Rule, summary: Summary) -> Iterator[str]:
    for key in rule.data_required:
        kind = _TYPES.get(key, "")
        if kind and not summary.resources.get(kind):
            yield f"the source holds no {kind}"
    if not summary.members["yes"]:
        yield "nobody of the population was found"


def _about_results(rule: Rule, analytes: dict[str, AnalyteState], unmapped: list[Row]) -> Iterator[str]:
    if "labs" not in rule.data_required:
        return
    for ident in sorted(Reach(rule).analytes):
        state = analytes.get(ident)
        if state is None or state.covered is None:
            continue
        if state.covered < LEAST_COVERED:
            yield f"only {state.covered:.0%} of members have a usable result of {ident}"
        elif state.usable < LEAST_USABLE:
            yield f"only {state.usable:.0%} of the results of {ident} can be used"
        lost = sum(row.count for row in unmapped if row.looks_like == ident)
        if lost > MOST_UNMAPPED * max(state.results, 1):
            yield f"{lost:,} results whose words remind of {ident} have codes that are not mapped"


def _about_drugs(rule: Rule, inventory: Inventory) -> Iterator[str]:
    if "medications" not in rule.data_required:
        return
    orders = sum(n for name, n in inventory.shapes.items() if name.startswith("drug"))
    unnamed = inventory.shapes["drug not named"]
    if orders and 1 - unnamed / orders < LEAST_NAMED:
        yield f"{unnamed / orders:.0%} of the orders do not name their drug"


def _about_answers(rule: Rule, summary: Summary) -> Iterator[str]:
    outcomes, members = summary.rules.get(rule.id), summary.members["yes"]
    if outcomes is None or not members:
        return
    unanswered = outcomes.get("cannot-assess", 0)
    if unanswered / members > MOST_OPEN:
        yield f"cannot be assessed for {unanswered:,} of {members:,} members"
