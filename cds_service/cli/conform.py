"""`cds-service conform URL`: test any CDS Hooks service from outside, and show what it breaks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cds_service.settings import SettingsError

if TYPE_CHECKING:
    from cds_service.conform import Report, Result

_COLOURS = {"fail": "bold red", "warn": "yellow", "skip": "dim", "pass": "green"}  # nosec B105 - a colour
"""Of a verdict; the worst first, as they are shown."""

# A command-line flag is a boolean with a default by nature.
# ruff: noqa: FBT002


def conform(
    url: Annotated[str, typer.Argument(help="Base URL of the service, or its discovery address.")],
    body: Annotated[
        list[Path] | None, typer.Option(help="A request (or case file) of your own; may be repeated.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Bearer token to send with every call.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="Private JWK that signs a fresh token for each call; needs --issuer.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="`iss` of those tokens.")] = None,
    jku: Annotated[str | None, typer.Option(help="`jku` of those tokens.")] = None,
    auth: Annotated[bool, typer.Option("--auth", help="The service must ask for a token.")] = False,
    production: Annotated[
        bool, typer.Option("--production", help="Judge it as a production service.")
    ] = False,
    origin: Annotated[str | None, typer.Option(help="Web origin that must be let in (CORS).")] = None,
    listen_port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1 of the FHIR server we play; 0 takes any.")
    ] = 0,
    budget_ms: Annotated[int, typer.Option(help="Median time for one answer, in milliseconds.")] = 500,
    timeout: Annotated[float, typer.Option(help="Seconds after which there is no answer.")] = 10.0,
    skip: Annotated[
        list[str] | None, typer.Option(help="Id of a check to leave out; may be repeated.")
    ] = None,
    no_feedback: Annotated[
        bool, typer.Option("--no-feedback", help="Send no feedback, which the service may keep.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Output for machines.")] = False,
) -> None:
    """Test any CDS Hooks service from outside: discovery, cards, errors, prefetch, feedback, tokens, CORS."""
    from cds_service.conform import Options, OptionsError, run  # noqa: PLC0415 - not needed to serve

    try:
        options = Options(
            bodies=tuple(path.read_bytes() for path in body or ()),
            token=token,
            key=key.read_bytes() if key else None,
            issuer=issuer,
            jku=jku,
            auth=auth,
            production=production,
            origin=origin,
            listen_port=listen_port,
            budget_ms=budget_ms,
            timeout_s=timeout,
            skip=frozenset(skip or ()),
            feedback=not no_feedback,
        )
        report = run(url, options)
    except OSError as error:
        raise SettingsError(f"{error.filename or 'a file'} cannot be read") from None
    except OptionsError as error:
        raise SettingsError(str(error)) from None
    if json:
        sys.stdout.write(report.to_json().decode() + "\n")
    else:
        show(Console(), report)
    raise typer.Exit(report.exit_code)


def show(console: Console, report: Report) -> None:
    """The table, worst first, and the sums."""
    from cds_service.conform import Verdict  # noqa: PLC0415 - not needed to serve

    table = Table(Column("Check", no_wrap=True), Column("Result", no_wrap=True), "Level", "Rule")
    for verdict, colour in _COLOURS.items():
        for result in report.of(Verdict(verdict)):
            outcome = f"[{colour}]{verdict}[/]"
            table.add_row(result.id, outcome, result.level.value, _told(result))
    console.print(table)
    for note in report.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}")
    if report.latency_ms is not None:
        times = report.latency_ms
        console.print(
            f"Complete calls: median {times.median} ms, slowest {times.worst} ms ({times.samples} calls)"
        )
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    console.print(
        f"[bold]{escape(report.url)}[/]: {counts}; {report.calls} calls to {len(report.services)} services"
    )


def _told(result: Result) -> str:
    """The rule, and below it what was found or why nothing could be."""
    lines = [escape(result.text)]
    lines += [f"  [red]{escape(line)}[/]" for line in result.evidence]
    if result.reason:
        lines.append(f"  [dim]{escape(result.reason)}[/]")
    return "\n".join(lines)
