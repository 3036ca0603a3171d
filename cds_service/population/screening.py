"""A whole screening: from a source to the four files of its result."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.population import server
from cds_service.population.export import open_export
from cds_service.population.judge import Judging, build_judge, judging, standing_service
from cds_service.population.parts import write_whole
from cds_service.population.report import screening_page
from cds_service.population.run import WORK, Outcome, Tell, remembered_as_of, run
from cds_service.population.screen import (
    PATIENTS,
    REPORT,
    SUMMARY,
    TABLE,
    Summary,
    read_standings,
    screen_shard,
    summarise,
    write_table,
)
from cds_service.population.trouble import Kind, Trouble
from cds_service.population.workers import workers
from cds_service.protocol.prefetch import PrefetchTemplate
from cds_service.rules.standing import StandingView


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screening found, and where it was written."""

    summary: Summary
    view: StandingView
    report: Path
    troubled: bool
    """Something that should be there could not be read."""


def screen(
    engine: Engine,
    profile: ClientProfile,
    source: str,
    out: Path,
    *,
    as_of: datetime | None,
    processes: int,
    scheduler: str | None,
    tell: Tell,
    token: str | None = None,
) -> Screened:
    """Screen an export or a FHIR server, and write the result into `out`.

    Raises:
        SettingsError: the source cannot be used at all.
    """
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    fixed = as_of or engine.settings.as_of
    begun = remembered_as_of(out) or engine.now()
    if server.is_address(source):
        how = judging(engine, profile, fixed or begun)
        outcome = server.screen_server(engine, source, out, how, tell=tell, token=token)
        shutil.rmtree(out / WORK)
    else:
        how = judging(engine, profile, fixed or open_export(Path(source)).as_of or begun)
        with workers(processes, scheduler) as at_work:
            outcome = run(
                Path(source).resolve(),
                out.resolve(),
                how,
                screen_shard,
                at_work,
                target=PATIENTS,
                tell=tell,
                members_only=True,
            )
    return _written(engine, out, how, outcome)


def _written(engine: Engine, out: Path, how: Judging, outcome: Outcome) -> Screened:
    judge = build_judge(how)
    rules = tuple(rule for rule, _ in judge.rules)
    standings = out / PATIENTS
    summary = summarise(read_standings(standings), how.as_of.isoformat(), rules, how.modes)
    summary.troubles = list(outcome.troubles)
    summary.resources = outcome.resources
    write_whole(
        out / SUMMARY, msgspec.json.format(msgspec.json.encode(summary, order="sorted"), indent=1) + b"\n"
    )
    write_table(read_standings(standings), out / TABLE)
    page = screening_page(summary, judge.view, {rule.id: rule for rule in rules})
    write_whole(out / REPORT, page.encode())
    templates = standing_service(engine).service.prefetch
    return Screened(summary, judge.view, out / REPORT, troubled(outcome.troubles, templates))


def troubled(troubles: tuple[Trouble, ...], templates: tuple[PrefetchTemplate, ...]) -> bool:
    """Anything but optional data that the source does not hold at all."""
    needed = {template.resource_type for template in templates if template.required}
    return any(item.kind is not Kind.NOT_EXPORTED or not needed.isdisjoint(item.types) for item in troubles)
