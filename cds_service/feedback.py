"""`POST /cds-services/{id}/feedback`: acknowledged only once it is durable."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import structlog

from cds_service.callers import caller_profile
from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.errors import BadRequest, Unavailable, UnknownService
from cds_service.load.admission import Turn
from cds_service.protocol.feedback import FeedbackError, FeedbackItem, parse_feedback
from cds_service.store.errors import StoreUnavailable

# Inside the deadline of an answer (2 s), so that an EHR hears of the refusal.
_TIMEOUT_S = 1.5
_TOLD = 5
_NONE, _UNKNOWN = "none", "unknown"

log = structlog.get_logger()


async def receive_feedback(
    engine: Engine, service_id: str, headers: dict[str, str], body: bytes, turn: Turn
) -> None:
    """Keep a batch of feedback.

    Raises:
        UnknownService, BadRequest: nothing that can be understood.
        Unavailable: not committed; the client may send it again.
    """
    profile = await caller_profile(engine, headers, f"/cds-services/{service_id}/feedback", body)
    turn.identify(profile.id, limited=not profile.anonymous)
    if service_id not in engine.services:
        raise UnknownService("There is no service with this id.")
    try:
        batch = parse_feedback(body)
    except FeedbackError as error:
        raise BadRequest(str(error)) from None
    if batch.problems and not batch.items:
        # Nothing of it would be kept, so it must not be acknowledged.
        raise BadRequest(f"No item could be read: {'; '.join(batch.problems[:_TOLD])}.")
    if engine.store is None:
        raise Unavailable("Feedback cannot be kept at the moment; send it again later.")
    try:
        result = await engine.store.feedback(
            _in_our_terms(batch.items, profile), profile.id, timeout=_TIMEOUT_S
        )
    except StoreUnavailable:
        raise Unavailable("Feedback cannot be kept at the moment; send it again later.") from None
    reasons = _reasons(engine)
    for item in result.kept:
        rule = item.rule or _UNKNOWN
        reason = _NONE if item.reason is None else item.reason if item.reason in reasons else _UNKNOWN
        engine.metrics.feedback.labels(rule, item.outcome, reason).inc()
    if batch.problems:
        engine.metrics.feedback_problems.inc(len(batch.problems))
        log.warning(
            "feedback_in_part", client=profile.id, kept=len(batch.items), problems=len(batch.problems)
        )


def _in_our_terms(items: Iterable[FeedbackItem], profile: ClientProfile) -> list[FeedbackItem]:
    """Reasons by our codes where the profile says what the client's own codes mean."""
    return [
        msgspec.structs.replace(item, reason_code=profile.reason_code(item.reason_code)) for item in items
    ]


def _reasons(engine: Engine) -> frozenset[str]:
    """The closed list of reasons that may be labels of a metric: those on our cards."""
    return frozenset(
        reason.code
        for ready in engine.services.values()
        for use in ready.service.rules
        for reason in use.rule.override_reasons
    )
