"""Records for the store's tests."""

from datetime import UTC, datetime

from cds_service.protocol.feedback import FeedbackItem
from cds_service.store import CardRecord, InvocationRecord, OutcomeRecord

KEY = b"0123456789abcdef-test-key"
CLIENT = "st-mary"


def invocation(number: int = 1, **changes) -> InvocationRecord:
    """A record with two outcomes and one card, its uuid made from the number."""
    values = {
        "at": datetime(2026, 11, 21, 8, 24, tzinfo=UTC),
        "client": CLIENT,
        "service": "calciphylaxis-order-sign",
        "hook": "order-sign",
        "status": 200,
        "hook_instance": f"instance-{number}",
        "patient": "patient-canary",
        "user": "Practitioner/user-canary",
        "as_of": "2026-11-21",
        "gaps": ({"kind": "missing", "what": "albumin"},),
        "timings_ms": {"decode": 0.06, "evaluate": 0.04},
        "config_hash": "c0ffee",
        "engine_version": "0.1.0",
        "outcomes": (
            OutcomeRecord(
                rule="vka-dialysis",
                version="1.0.0",
                mode="live",
                outcome="fires",
                indicator="warning",
                order="order-canary",
            ),
            OutcomeRecord(rule="iron-dialysis", version="1.0.0", mode="shadow", outcome="clear"),
        ),
        "cards": (card(number),),
    }
    return InvocationRecord(**{**values, **changes})


def card(number: int) -> CardRecord:
    return CardRecord(
        uuid=f"card-{number}",
        rule="vka-dialysis",
        version="1.0.0",
        indicator="warning",
        topic="vkaDialysisWarning",
        mode="live",
        suggestions={f"suggestion-{number}": "remove-order"},
    )


def feedback_item(number: int = 1, **changes) -> FeedbackItem:
    """The user overrode the card of that number."""
    values = {
        "card": f"card-{number}",
        "outcome": "overridden",
        "outcome_timestamp": "2026-11-21T08:25:00.000000Z",
        "reason_system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
        "reason_code": "risk-benefit-ratio",
        "comment": "comment-canary",
    }
    return FeedbackItem(**{**values, **changes})
