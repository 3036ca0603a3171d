"""Prefetch as it arrives: every state of the decision table (section 2.5)."""

from __future__ import annotations

from cds_service.conform.checks.statuses import answered, no_crash, statuses
from cds_service.conform.model import Book, Level

BOOK = Book()
_NONE = "no service publishes prefetch templates"

BOOK.add(
    "C028-prefetch-suffices",
    Level.SHOULD,
    "With all its prefetch, a service answers without a FHIR server.",
    statuses(("complete",), lambda status: status == 200, "200"),  # noqa: PLR2004
)
BOOK.add(
    "C038-nothing-obtainable",
    Level.SHALL,
    "Without prefetch and without a FHIR server: 412 if the data are required, else cards that do without.",
    statuses(("no-prefetch",), answered, "200 or 412", _NONE),
    rows=(41,),
)
BOOK.add(
    "C039-operation-outcome",
    Level.SHALL,
    "An OperationOutcome in the place of data means that the client failed; it is no data and no mistake.",
    statuses(("prefetch-outcome",), answered, "200 or 412", _NONE),
)
for _probe, _level, _text in (
    ("prefetch-null", Level.SHALL, "null means that there is none."),
    ("prefetch-empty-bundle", Level.SHALL, "A Bundle without entries means that there is none."),
    ("prefetch-next-link", Level.SHALL, "A Bundle may be one page of several."),
    ("prefetch-partial", Level.SHALL, "Any key may be missing."),
    (
        "prefetch-outcome-entry",
        Level.SHALL,
        "A Bundle may hold an OperationOutcome beside or instead of data.",
    ),
    ("prefetch-mixed", Level.SHALL, "A Bundle may hold entries of other types, or without a resource."),
    ("prefetch-collection", Level.PROPOSAL, "A Bundle of type collection is read like a searchset."),
    ("prefetch-bare", Level.PROPOSAL, "A bare resource is read like a Bundle of one."),
    ("prefetch-wrapper", Level.PROPOSAL, "The wrapper of clients before 1.0 is read or passed over."),
):
    BOOK.add(
        f"S2.5-{_probe.removeprefix('prefetch-')}",
        _level,
        f"{_text} The call is answered.",
        statuses((_probe,), answered, "200 or 412", _NONE),
        rows=(37,) if _probe == "prefetch-partial" else (),
        fatal=True,
    )
BOOK.add(
    "S2.5-wrong-type",
    Level.PROPOSAL,
    "A prefetch value that is no resource does not break the service.",
    statuses(("prefetch-wrong-type",), no_crash, "below 500", _NONE),
    fatal=True,
)
