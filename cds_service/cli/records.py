"""`export feedback`, `export audit`, `purge` and `migrate`: what is kept, taken out, deleted and prepared."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta

import msgspec
from rich.console import Console

from cds_service.configuration import load_configuration
from cds_service.fhir.audit import audit_event
from cds_service.serving import open_store
from cds_service.settings import load_settings
from cds_service.store.records import AuditRecord, FeedbackRow


def export_feedback(form: str, since: datetime | None, *, comments: bool) -> None:
    """Write feedback joined with its cards to standard output, as CSV or JSON lines."""
    store = open_store(load_settings())
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


def export_audit(since: datetime | None) -> None:
    """Write every invocation as a FHIR AuditEvent to standard output, one a line (NDJSON)."""
    store = open_store(load_settings())
    try:
        for record in store.export_records(since=since):
            sys.stdout.write(msgspec.json.encode(_event(record)).decode() + "\n")
    finally:
        store.close()


def _event(record: AuditRecord) -> dict[str, object]:
    return audit_event(
        id=record.id,
        recorded=record.at,
        client=record.client,
        service=record.service,
        hook=record.hook,
        status=record.status,
        user=record.user,
        patient=record.patient,
        rules=[
            " ".join(filter(None, (rule.rule, rule.version, rule.mode, rule.outcome, rule.indicator)))
            for rule in record.outcomes
        ],
        cards=[f"{card.uuid} {card.topic}" for card in record.cards],
        gaps=record.gaps,
        configuration=record.config_hash or "unknown",
        version=record.engine_version or "unknown",
    )


def purge(console: Console, days: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Delete what is older than `days`, by default what the site file says; or only count it."""
    settings = load_settings()
    kept = days if days is not None else load_configuration(settings).site.retention_days
    oldest = datetime.now(UTC) - timedelta(days=kept)
    store = open_store(settings)
    try:
        found = store.purgeable(oldest) if dry_run else store.purge(oldest)
    finally:
        store.close()
    if as_json:
        report = {"older_than_days": kept, "deleted": not dry_run, **msgspec.structs.asdict(found)}
        console.print_json(msgspec.json.encode(report).decode())
        return
    console.print(
        f"{'Would delete' if dry_run else 'Deleted'} what is older than {kept} days: {found.invocations} calls,"
        f" {found.feedback} feedback items, {found.configurations} configuration changes."
    )


def migrate(console: Console) -> None:
    """Opening the store brings its schema up to date; safe beside running processes of the version before.

    Raises:
        StoreConfigError, StoreUnavailable: the database does not fit this version, or cannot be reached.
    """
    open_store(load_settings()).close()
    console.print("The database has the schema of this version.")
