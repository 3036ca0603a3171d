"""`docs/conformance.md`: which check or test proves each row of the checklist for our own service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds_service.conform.bodies import HOOKS
from cds_service.conform.checklist import NOT_APPLICABLE, NOT_SENT, ROWS, Row
from cds_service.conform.checks import CHECKS
from cds_service.conform.model import Check

HEAD = """# Conformance

What this service promises as a CDS Hooks 2.0.1 service, and what proves it. The checks are those of

    .venv/bin/cds-service conform http://127.0.0.1:8000

a black-box client that works with any CDS Hooks service. Our tests run it against our own service, open and with tokens,
and against one deliberately broken service for each check (`tests/conform/`). Row numbers are those of our checklist; the
words are ours, and the specification at <https://cds-hooks.hl7.org> is what counts. A *proposal* goes beyond it.

This page is generated: `.venv/bin/python tests/conform/test_conformance_page.py`
"""
USE = """## Testing another service

    .venv/bin/cds-service conform https://cds.example.org --body my-request.json

`--body` takes a request of your own (or a case file with a member `request`), so that cards are seen. Without it, built-in
requests are used for {hooks}.

| To have judged | give |
|---|---|
| tokens, each bad in one thing only | `--key private-jwk.json --issuer https://ehr.example.org` |
| that a token is asked for at all | `--auth` |
| https and exact web origins | `--production`, `--origin https://ehr.example.org` |
| what the service reads from the EHR (same machine) | `--listen-port 8077`, and `http://127.0.0.1:8077/fhir` allowed in the service |

`--json` prints the report for machines, `--skip ID` leaves a check out, `--no-feedback` sends no feedback. The exit code
is 0 without a failure, 1 with one, and 2 when the command could not be run as asked. A broken SHALL fails; so does a
proposal where the alternative is a false "nothing to say", a leak or a crash. Everything else that is broken warns.
"""


def conformance_page(tests: Mapping[int, Sequence[str]]) -> str:
    """The page.

    Args:
        tests: row -> names of tests (`tests/...::test_...`) that prove it beside the checks.
    """
    rows = ["| Row | Level | Rule | Proved by |", "|---|---|---|---|"]
    rows += [f"| {row.number} | {row.level} | {row.text} | {_proof(row, tests)} |" for row in ROWS]
    sections = ["| Check | Level | Rule |", "|---|---|---|"]
    sections += [f"| `{c.id}` | {c.level} | {c.text} |" for c in CHECKS if not c.rows or c.id[0] == "S"]
    still_open = open_rows(tests)
    told = ", ".join(map(str, still_open)) if still_open else "none"
    use = USE.format(hooks=", ".join(f"`{hook}`" for hook in HOOKS))
    return "\n".join(
        [
            HEAD,
            "## The checklist",
            "",
            f"Open rows, which nothing proves yet: {told}.",
            "",
            *rows,
            "",
            "## Checks without a row",
            "",
            "They belong to sections of the checklist that have no numbers: prefetch as it arrives (2.5), feedback",
            "(2.8), status codes (2.10), shapes of the Sandbox (2.3).",
            "",
            *sections,
            "",
            use,
        ]
    )


def checks_of(row: int) -> list[Check]:
    return [check for check in CHECKS if row in check.rows]


def open_rows(tests: Mapping[int, Sequence[str]]) -> list[int]:
    """Rows that nothing proves."""
    return [
        row.number
        for row in ROWS
        if row.number not in NOT_APPLICABLE and not tests.get(row.number) and not checks_of(row.number)
    ]


def _proof(row: Row, tests: Mapping[int, Sequence[str]]) -> str:
    if row.number in NOT_APPLICABLE:
        return f"not applicable: {NOT_APPLICABLE[row.number]}"
    named = [f"`{check.id}`" for check in checks_of(row.number)]
    named += [f"`{test}`" for test in tests.get(row.number, ())]
    if not named:
        return "**open**"
    left_out = f" ({NOT_SENT[row.number]})" if row.number in NOT_SENT else ""
    return "<br>".join(named) + left_out
