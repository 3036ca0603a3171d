"""Commands and their options; the work is done elsewhere."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from cds_service import __version__
from cds_service.cli import demo as demo_command
from cds_service.cli import operate, records
from cds_service.cli.conform import conform
from cds_service.cli.explain import explain_case
from cds_service.cli.population import doctor_data, generate_command, replay_command, screen_command
from cds_service.clients.load import ProfileError
from cds_service.logs import configure_logging
from cds_service.serving import bind, check_binding, inherited
from cds_service.serving import serve as run_server
from cds_service.settings import SettingsError, load_settings
from cds_service.store.errors import StoreError
from cds_service.workers import run_workers

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
export_app = typer.Typer(
    no_args_is_help=True, help="Write review sheets, FHIR knowledge artefacts or catalogues."
)
app.add_typer(export_app, name="export")
app.command()(conform)
app.command("generate")(generate_command)
app.command("screen")(screen_command)
app.command("replay")(replay_command)
console = Console()
problems_console = Console(stderr=True)

# A command-line flag is a boolean with a default by nature.
# ruff: noqa: FBT002
Json = Annotated[bool, typer.Option("--json", help="Output for machines.")]


def main() -> None:
    """Run a command; known errors are told in one line, without a traceback."""
    try:
        app()
    except (SettingsError, ProfileError, StoreError) as error:
        problems_console.print(f"[bold red]Cannot start:[/] {error}")
        sys.exit(2)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to bind to.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
    fd: Annotated[
        int | None, typer.Option(help="Serve on this inherited socket instead.", hidden=True)
    ] = None,
) -> None:
    """Run the service."""
    settings = load_settings()
    configure_logging(json=settings.environment == "production")
    if fd is not None:
        run_server(settings, inherited(fd))
        return
    check_binding(settings, host)
    sock = bind(host, port)
    if workers == 1:
        run_server(settings, sock)
    else:
        raise typer.Exit(run_workers(sock, workers))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port to bind to.")] = 8000,
    once: Annotated[bool, typer.Option(help="Show the card and end, instead of serving on.")] = False,
) -> None:
    """Start with synthetic patients, sign a warfarin order as an EHR would, show the card, keep serving."""
    configure_logging(json=False)
    demo_command.run(console, port=port, keep_serving=not once)


@app.command()
def explain(
    case: Annotated[
        Path, typer.Argument(help="Case file (fixtures/cases/*.json) or a CDS Hooks request body.")
    ],
    service: Annotated[str | None, typer.Option(help="Service id, when the file is a bare request.")] = None,
    json: Json = False,
) -> None:
    """Why a card did or did not appear: every rule, every fact, every source."""
    raise typer.Exit(explain_case(console, case, service, as_json=json))


@app.command()
def check(json: Json = False) -> None:
    """Check the clinical content: lists all problems at once."""
    from cds_service.cli.content import check_content  # noqa: PLC0415 - not needed to serve

    raise typer.Exit(check_content(console, as_json=json))


@export_app.command("sheets")
def export_sheets(
    folder: Annotated[Path, typer.Argument(help="Where to write the pages.")] = Path("docs"),
    json: Json = False,
) -> None:
    """One review page per rule, and the generated documents, from the rules themselves."""
    from cds_service.cli.content import write_documents  # noqa: PLC0415

    write_documents(console, folder, as_json=json)


@export_app.command("catalogue")
def export_catalogue() -> None:
    """Gather the strings of the cards for translators: `cards.pot` and every `cards.po`, where they belong."""
    from cds_service.cli.content import write_strings  # noqa: PLC0415

    write_strings(console)


@export_app.command("fhir")
def export_fhir(
    folder: Annotated[Path, typer.Argument(help="Where to write the resources.")],
    json: Json = False,
) -> None:
    """The knowledge as FHIR R4 resources: PlanDefinitions, ValueSets and an index."""
    from cds_service.cli.content import write_knowledge  # noqa: PLC0415

    write_knowledge(console, folder, as_json=json)


@app.command()
def doctor(
    client: Annotated[
        str | None, typer.Option(help="Id of a client profile; the first one by default.")
    ] = None,
    codes: Annotated[bool, typer.Option("--codes", help="Print override codes as CSV instead.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Examine this Bulk Data export instead: go or fix first, rule by rule."),
    ] = None,
    json: Json = False,
) -> None:
    """What a client profile lacks, and the exact strings an EHR analyst must type in; or whether data will do."""
    if data is not None:
        raise typer.Exit(doctor_data(data, client, as_json=json))
    raise typer.Exit(operate.doctor(console, client, as_json=json, codes=codes))


@export_app.command("feedback")
def export_feedback(
    form: Annotated[
        Literal["csv", "json"], typer.Option("--format", help="csv or json (one object a line).")
    ] = "csv",
    since: Annotated[
        datetime | None, typer.Option(help="Only feedback received from this time on (UTC).")
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments", help="With users' comments, which may hold PHI.")
    ] = False,
) -> None:
    """Feedback joined with card, rule, version and tier, on standard output."""
    records.export_feedback(form, since.replace(tzinfo=UTC) if since else None, comments=comments)


@export_app.command("audit")
def export_audit(
    since: Annotated[
        datetime | None, typer.Option(help="Only calls received from this time on (UTC).")
    ] = None,
) -> None:
    """Every call as a FHIR R4B AuditEvent, one a line, on standard output; people as keyed hashes."""
    records.export_audit(since.replace(tzinfo=UTC) if since else None)


@app.command()
def purge(
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Keep this many days; by default retention_days of the site file."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    json: Json = False,
) -> None:
    """Delete records and feedback that are older than the site keeps them."""
    records.purge(console, days, dry_run=dry_run, as_json=json)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version, before a new version starts."""
    records.migrate(console)


@app.command()
def version() -> None:
    """Print the version."""
    console.print(__version__)
