"""Commands about many patients: `generate`, `screen`, `replay`, and the part of `doctor` that reads data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine, build_engine
from cds_service.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from cds_service.population.run import Progress as Step
    from cds_service.population.run import Tell
    from cds_service.population.trouble import Trouble

# A command-line flag is a boolean with a default by nature.
# ruff: noqa: FBT002
Json = Annotated[bool, typer.Option("--json", help="Output for machines.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="Judge as of this time (UTC); by default the time the export was taken."),
]
Processes = Annotated[int | None, typer.Option(min=1, help="Processes; all processors by default.")]
Scheduler = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler (tcp://...) whose workers do the work instead."),
]
Client = Annotated[str | None, typer.Option(help="Judge as for this client profile.")]
_FOUND_TROUBLE = 1


def console() -> Console:
    return Console()


@contextmanager
def bar(*, quiet: bool) -> Iterator[Tell]:
    """A progress bar on standard error, so that output for machines stays clean."""
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=quiet,
        transient=True,
    )
    tasks: dict[str, Any] = {}
    with shown:

        def tell(step: Step) -> None:
            if step.step not in tasks:
                tasks[step.step] = shown.add_task(step.step, total=step.total)
            shown.update(tasks[step.step], completed=step.done)

        yield tell


def utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def profile_of(engine: Engine, client: str | None) -> ClientProfile:
    """The named client, else how a caller without a profile would be seen.

    Raises:
        SettingsError: there is no such client.
    """
    if client is None:
        return engine.anonymous or ClientProfile(id="neutral")
    known = {profile.id: profile for profile in engine.profiles}
    if client not in known:
        raise SettingsError(f"no client profile named {client}; known: {', '.join(known) or 'none'}")
    return known[client]


def show_troubles(out: Console, troubles: tuple[Trouble, ...]) -> None:
    if not troubles:
        return
    table = Table(
        "What", "File", "Type", "How often", "First lines", title="Could not be read", title_justify="left"
    )
    for item in troubles:
        lines = ", ".join(str(line) for line in item.lines)
        table.add_row(item.kind.value, escape(item.file), ", ".join(item.types), f"{item.count:,}", lines)
    out.print(table)


def generate_command(
    out: Annotated[Path, typer.Option(help="Folder to write to; must be empty or absent.")],
    patients: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many patients.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    members: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of patients on dialysis; by default that of the cohort."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", help="Day of the export (UTC), from which all dates count back."),
    ] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress the files.")] = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Write a synthetic Bulk Data export of a dialysis cohort with controls, and the truth about it in a file."""
    from cds_service.population.run import Progress as Step  # noqa: PLC0415 - not needed to serve
    from cds_service.population.synthetic.generate import (  # noqa: PLC0415
        MANIFEST,
        TRUTH,
        Plan,
        cpu_count,
        generate,
    )

    settings = load_settings()
    day = (
        utc(as_of) or settings.as_of or datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    )
    plan = Plan(patients, seed, day, out, gzip, members)
    with bar(quiet=json) as tell:
        totals = generate(
            plan, processes=processes or cpu_count(), told=lambda n: tell(Step("Generating", n, patients))
        )
    found = {
        "patients": patients,
        "seed": seed,
        "as_of": day.isoformat(),
        "resources": dict(sorted(totals.items())),
    }
    screen = console()
    if json:
        screen.print_json(msgspec.json.encode(found).decode())
        return
    screen.print(f"{sum(totals.values()):,} resources of {patients:,} synthetic patients as of {day.date()}.")
    for kind, count in sorted(totals.items()):
        screen.print(f"  {kind:20} {count:>12,}")
    screen.print(f"Manifest: {out / MANIFEST}   Truth to score against: {out / TRUTH}", soft_wrap=True)


def screen_command(
    source: Annotated[
        str, typer.Argument(help="Folder of a Bulk Data export, one of its files, or a FHIR base URL.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("screening"),
    as_of: AsOf = None,
    client: Client = None,
    processes: Processes = None,
    scheduler: Scheduler = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the access token for a FHIR server that needs one.")
    ] = None,
    json: Json = False,
) -> None:
    """Who is on dialysis, which factors, which rules would fire when the chart is opened; resumes by itself."""
    from cds_service.population.screening import screen  # noqa: PLC0415 - charts are slow to load
    from cds_service.population.synthetic.generate import cpu_count  # noqa: PLC0415

    engine = build_engine(load_settings(), store=None)
    with bar(quiet=json) as tell:
        result = screen(
            engine,
            profile_of(engine, client),
            source,
            out,
            as_of=utc(as_of),
            processes=processes or cpu_count(),
            scheduler=scheduler,
            tell=tell,
            token=token_file.read_text(encoding="utf-8").strip() if token_file else None,
        )
    shown = console()
    if json:
        shown.print_json(msgspec.json.encode(result.summary).decode())
    else:
        _show_screening(shown, result)
        show_troubles(shown, tuple(result.summary.troubles))
        shown.print(f"Report: {result.report}", soft_wrap=True)
    raise typer.Exit(_FOUND_TROUBLE if result.troubled else 0)


def _show_screening(out: Console, result: Any) -> None:
    summary, view = result.summary, result.view
    out.print(
        f"As of {summary.as_of}: {summary.patients:,} patients, {summary.members['yes']:,} {view.population}, "
        f"{summary.members['unknown']:,} cannot be told."
    )
    table = Table("Evidence", "Certainty", "Patients", "By this alone")
    for ident, certainty, title in view.evidence_titles:
        table.add_row(
            title, certainty, f"{summary.evidence.get(ident, 0):,}", f"{summary.only_by.get(ident, 0):,}"
        )
    out.print(table)
    table = Table(Column("Rule", no_wrap=True), "Mode", "Outcome", "Patients")
    for rule, outcomes in summary.rules.items():
        for outcome, count in outcomes.items():
            if outcome != "clear":
                table.add_row(rule, summary.modes.get(rule, ""), outcome, f"{count:,}")
    out.print(table)


def replay_command(
    source: Annotated[
        Path, typer.Argument(help="Folder of a Bulk Data export, or of recorded requests (*.json).")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("replay"),
    days: Annotated[int, typer.Option(min=1, help="How far back to replay, in days.")] = 365,
    compare: Annotated[
        Path | None,
        typer.Option(help="A second rule set: a site file (.toml) or rule modes as JSON (.json)."),
    ] = None,
    as_of: AsOf = None,
    client: Client = None,
    processes: Processes = None,
    scheduler: Scheduler = None,
    service: Annotated[str | None, typer.Option(help="Service id, for bare request files.")] = None,
    json: Json = False,
) -> None:
    """How often cards would have come up: past orders as order-sign calls of their own time."""
    from cds_service.population.replaying import replay  # noqa: PLC0415 - charts are slow to load
    from cds_service.population.synthetic.generate import cpu_count  # noqa: PLC0415

    engine = build_engine(load_settings(), store=None)
    with bar(quiet=json) as tell:
        result = replay(
            engine,
            profile_of(engine, client),
            source,
            out,
            as_of=utc(as_of),
            days=days,
            compare=compare,
            processes=processes or cpu_count(),
            scheduler=scheduler,
            service=service,
            tell=tell,
        )
    shown = console()
    if json:
        shown.print_json(msgspec.json.encode(result.burden).decode())
    else:
        _show_burden(shown, result)
        show_troubles(shown, tuple(result.burden.troubles))
        shown.print(f"Report: {result.report}", soft_wrap=True)
    raise typer.Exit(_FOUND_TROUBLE if result.troubled else 0)


def _show_burden(out: Console, result: Any) -> None:
    burden = result.burden
    per_day = burden.cards_per_clinician_day
    out.print(
        f"{burden.orders:,} orders, {sum(burden.cards.values()):,} cards: {burden.cards_per_1000_orders} per 1,000 "
        f"orders, {'-' if per_day is None else per_day} per clinician-day ({burden.clinician_days:,} of them)."
    )
    table = Table(Column("Rule", no_wrap=True), "Mode", "Outcome", "Tier", "Orders", "Per 1,000")
    for item in burden.rules:
        table.add_row(
            item.rule, item.mode, item.outcome, item.tier, f"{item.orders:,}", str(item.per_1000_orders)
        )
    out.print(table)
    if burden.changes:
        table = Table(Column("Rule", no_wrap=True), "Other set", "Orders", "First cases")
        for change in burden.changes:
            table.add_row(
                change.rule, change.change, f"{change.orders:,}", escape(", ".join(change.cases[:3]))
            )
        out.print(table)
    elif burden.other_cards is not None:
        out.print("The other rule set changes nothing.")


def doctor_data(source: Path, client: str | None, *, as_json: bool) -> int:
    """Print whether the data of `source` are good enough, rule by rule; 1 when something is to be fixed first."""
    from cds_service.population.readiness import examine  # noqa: PLC0415 - not needed by the other doctor
    from cds_service.population.synthetic.generate import cpu_count  # noqa: PLC0415

    engine = build_engine(load_settings(), store=None)
    with TemporaryDirectory(prefix="cds-doctor-") as scratch, bar(quiet=as_json) as tell:
        found = examine(
            engine,
            profile_of(engine, client),
            source,
            as_of=None,
            work=Path(scratch) / "work",
            processes=cpu_count(),
            scheduler=None,
            tell=tell,
        )
    out = console()
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
    else:
        _show_readiness(out, found)
    return 0 if found.ready and not found.summary.troubles else _FOUND_TROUBLE


def _show_readiness(out: Console, found: Any) -> None:
    summary = found.summary
    out.print(f"As of {found.as_of}: {summary.patients:,} patients, {summary.members['yes']:,} members.")
    table = Table("Evidence", "Members", title="Found by", title_justify="left")
    for name, count in summary.evidence.items():
        table.add_row(name, f"{count:,} ({count / summary.members['yes']:.0%})")
    out.print(table)
    table = Table("Result", "Count", "Usable", "Members covered", "Units", "Why not usable")
    for item in found.analytes:
        table.add_row(
            item.analyte,
            f"{item.results:,}",
            f"{item.usable:.1%}",
            "" if item.covered is None else f"{item.covered:.0%}",
            "; ".join(f"{row.name} {row.count:,}" for row in item.units[:6]),
            "; ".join(f"{row.name} {row.count:,}" for row in item.reasons[:6]),
        )
    out.print(table)
    for title, rows in (
        ("Results with codes that no rule reads (system|code|words)", found.unmapped_labs),
        ("Drugs that are not recognised", found.unmapped_drugs),
        ("Shapes of orders", found.shapes),
        ("Times", found.zones),
    ):
        table = Table(Column(title, overflow="fold"), "Count")
        for row in rows[:15]:
            like = f"  <- looks like {row.looks_like}" if row.looks_like else ""
            table.add_row(escape(row.name) + like, f"{row.count:,}")
        out.print(table)
    show_troubles(out, tuple(summary.troubles))
    table = Table(Column("Rule", no_wrap=True), "Verdict", "Why")
    for item in found.verdicts:
        colour = "green" if item.verdict == "go" else "yellow"
        table.add_row(item.rule, f"[{colour}]{item.verdict}[/]", escape("; ".join(item.reasons)))
    out.print(table)
