"""`doctor` and `feedback`: what operators and EHR analysts need on the command line."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import datetime

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.onboarding import lacks, override_codes, service_strings
from cds_service.serving import running_engine
from cds_service.settings import SettingsError, load_settings
from cds_service.store.records import FeedbackRow
from cds_service.store.store import Store


def _profile(engine: Engine, client: str | None) -> ClientProfile:
    known = {profile.id: profile for profile in engine.profiles}
    if engine.anonymous is not None:
        known[engine.anonymous.id] = engine.anonymous
    if client is None:
        return next(iter(known.values()))
    if client not in known:
        raise SettingsError(f"no client profile named {client}; known: {', '.join(known)}")
    return known[client]


def doctor(console: Console, client: str | None, *, as_json: bool, codes: bool) -> int:
    """Print what a profile lacks and the strings to type in; returns 1 when something is lacking."""
    with running_engine(load_settings()) as engine:
        if codes:
            sys.stdout.write(override_codes(engine))
            return 0
        profile = _profile(engine, client)
        missing = list(lacks(engine, profile))
        strings = service_strings(engine, profile)
        if as_json:
            report = {"client": profile.id, "lacks": missing, "services": [asdict(item) for item in strings]}
            console.print_json(msgspec.json.encode(report).decode())
            return 1 if missing else 0
        console.print(f"[bold]Client {escape(profile.id)}[/] (preset {profile.preset})")
        for sentence in missing:
            console.print(f"  [yellow]{escape(sentence)}[/]")
        if not missing:
            console.print("  Nothing is lacking.")
        for item in strings:
            table = Table("What", "String to type in", title=f"Hook {item.hook}", title_justify="left")
            table.add_row("Service", escape(item.url))
            table.add_row("Feedback", escape(item.feedback_url))
            for key, query in item.prefetch.items():
                table.add_row(f"Prefetch {key}", escape(query))
            table.add_row("Scopes", " ".join(item.scopes))
            console.print(table)
        console.print("Override codes as CSV: cds-service doctor --codes")
        return 1 if missing else 0


def export_feedback(form: str, since: datetime | None, *, comments: bool) -> None:
    """Write feedback joined with its cards to standard output, as CSV or JSON lines."""
    settings = load_settings()
    store = Store.open(settings.store_url, hash_key=settings.hash_key.get_secret_value().encode())
    try:
        rows = store.export_feedback(comments=comments, since=since)
        if form == "json":
            for row in rows:
                sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
            return
        names = [field.name for field in msgspec.structs.fields(FeedbackRow)]
        table = csv.writer(sys.stdout)
        table.writerow(names)
        for row in rows:
            values = msgspec.structs.asdict(row)
            table.writerow(["; ".join(v) if isinstance(v, tuple) else v for v in (values[n] for n in names)])
    finally:
        store.close()
