"""`cds-service explain CASE`: the trace of one request, readable in a terminal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cds_service import pipeline
from cds_service.content.cases import parse_as_of
from cds_service.engine import build_engine
from cds_service.errors import CdsError
from cds_service.settings import load_settings

_COLOURS = {"fires": "bold red", "cannot-assess": "yellow", "clear": "green", "suppressed": "cyan"}


class CaseFile(msgspec.Struct):
    """A case file; `request` stays raw, exactly as an EHR would send it."""

    request: msgspec.Raw = msgspec.Raw(b"")
    service: str | None = None
    as_of: str | None = None
    why: str = ""
    modes: dict[str, str] = {}
    """Rule modes the case asks for, as in CDS_RULE_MODES."""
    hook: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A request with the service, the clinical time and the rule modes it is meant for."""

    service: str
    body: bytes
    settings: dict[str, Any]
    """Settings to load with: `as_of`, `rule_modes`."""


def read_case(path: Path, service: str | None) -> Example:
    """A case file or a bare request.

    Raises:
        ValueError: the file is neither.
    """
    data = path.read_bytes()
    case = msgspec.json.decode(data, type=CaseFile)
    name = service or case.service or (f"calciphylaxis-{case.hook}" if case.hook else None)
    if name is None:
        raise ValueError("name the service with --service")
    settings: dict[str, Any] = {}
    if case.as_of is not None:
        settings["as_of"] = parse_as_of(case.as_of)
    if case.modes:
        settings["rule_modes"] = case.modes
    return Example(name, bytes(case.request) or data, settings)


def explain_case(console: Console, path: Path, service: str | None, *, as_json: bool) -> int:
    """Print why each rule fired or not; returns the exit code."""
    try:
        example = read_case(path, service)
        engine = build_engine(load_settings(**example.settings), store=None)
        reply = asyncio.run(pipeline.trace(engine, example.service, {}, example.body))
    except (ValueError, OSError) as error:
        console.print(f"[bold red]Cannot read the case:[/] {escape(str(error))}")
        return 2
    except CdsError as error:
        console.print(f"[bold red]{error.status}[/] {error.message}")
        return 1
    if as_json:
        console.print_json(reply.body.decode())
    else:
        render(console, msgspec.json.decode(reply.body))
    return 0


def render(console: Console, trace: dict[str, Any]) -> None:
    """A table a reader can follow: rule, outcome, each finding with its reason and sources."""
    table = Table("Rule", "Outcome", "Because", "Sources", show_lines=True)
    for outcome in trace["outcomes"]:
        if outcome["outcome"] == "not-triggered":
            continue
        colour = _COLOURS.get(outcome["outcome"], "dim")
        reasons = "\n".join(f"{f['answer']}: {f['because']}" for f in outcome["findings"])
        sources = "\n".join(dict.fromkeys(s for f in outcome["findings"] for s in f["sources"]))
        result = outcome["outcome"] + (f" ({outcome['indicator']})" if outcome["indicator"] else "")
        order = f"\n{outcome['order']}" if outcome["order"] else ""
        table.add_row(
            f"{outcome['rule']} {outcome['version']}{escape(order)}",
            f"[{colour}]{result}[/]",
            escape(reasons),
            escape(sources),
        )
    if table.rows:
        console.print(table)
    idle = dict.fromkeys(o["rule"] for o in trace["outcomes"] if o["outcome"] == "not-triggered")
    if idle:
        console.print(f"Not triggered by these orders: {', '.join(idle)}")
    for title, rows in (
        ("Could not be read or used", [f"{g['source']}: {g['text']}" for g in trace["gaps"]]),
        ("Left out", [f"{d['path']}: {d['reason']}" for d in trace["dropped"]]),
    ):
        if rows:
            console.print(f"[bold]{title}[/]")
            for row in rows:
                console.print(f"  {escape(row)}")
    for card in trace["cards"]:
        show_card(console, card)


def show_card(console: Console, card: dict[str, Any]) -> None:
    """A card as plain text, with what a clinician could do about it."""
    from rich.markdown import Markdown  # noqa: PLC0415 - with its highlighting slow to load, not needed to serve

    colour = {"critical": "red", "warning": "yellow", "info": "blue"}[card["indicator"]]
    body = Group(Text(card["summary"], style="bold"), Text(), Markdown(card.get("detail", "")))
    console.print(Panel(body, title=card["indicator"].upper(), title_align="left", border_style=colour))
    for suggestion in card.get("suggestions", []):
        console.print(f"  [reverse] {escape(suggestion['label'])} [/]")
    reasons = ", ".join(reason["display"] for reason in card.get("overrideReasons", []))
    if reasons:
        console.print(f"  Override reasons: {escape(reasons)}")
    console.print(f"  Source: {escape(card['source']['label'])}  Topic: {card['source']['topic']['code']}")
