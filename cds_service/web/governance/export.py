"""The governance table as CSV."""

from __future__ import annotations

import csv
import io

from cds_service.web.governance.figures import Report

COLUMNS = (
    *("week", "site", "rule", "version", "evaluations", "fires_shown", "fires_shadow", "cards"),
    *("accepted", "overridden", "no_feedback", "cannot_assess_share", "median_ms", "last_fired"),
    *("configuration", "top_reasons"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """One line per rule, site and week."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for key, figures in report.rows.items():
        share, ms = figures.cannot_share, figures.median_ms
        reasons = "; ".join(f"{code or words}: {number}" for (code, words), number in figures.top_reasons)
        table.writerow(
            _inert(cell)
            for cell in (
                *(key.week.isoformat(), key.client, key.rule, key.version, figures.judged),
                *(figures.shown, figures.shadow, figures.cards, figures.accepted, figures.overridden),
                figures.unanswered,
                "" if share is None else f"{share:.3f}",
                "" if ms is None else f"{ms:.1f}",
                *(figures.last_fired or "", " ".join(figures.configurations), reasons),
            )
        )
    return text.getvalue()


def _inert(cell: object) -> object:
    """Text that a spreadsheet would take for a formula is quoted: a reason's words come from an EHR."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
