"""`POST /cds-services/{id}/feedback`: acknowledged only once it is durable."""

from __future__ import annotations

from cds_service.engine import Engine
from cds_service.errors import BadRequest, Unavailable, UnknownService
from cds_service.protocol.feedback import FeedbackError, parse_feedback
from cds_service.stages import caller_profile
from cds_service.store.errors import StoreUnavailable

_TIMEOUT_S = 2.0


async def receive_feedback(engine: Engine, service_id: str, headers: dict[str, str], body: bytes) -> None:
    """Keep a batch of feedback.

    Raises:
        UnknownService, BadRequest: nothing that can be understood.
        Unavailable: not committed; the client may send it again.
    """
    profile = await caller_profile(engine, headers, f"/cds-services/{service_id}/feedback", body)
    if service_id not in engine.services:
        raise UnknownService("There is no service with this id.")
    try:
        batch = parse_feedback(body)
    except FeedbackError as error:
        raise BadRequest(str(error)) from None
    if engine.store is None:
        raise Unavailable("Feedback cannot be kept at the moment; send it again later.")
    try:
        await engine.store.feedback(batch.items, profile.id, timeout=_TIMEOUT_S)
    except StoreUnavailable:
        raise Unavailable("Feedback cannot be kept at the moment; send it again later.") from None
    for item in batch.items:
        engine.metrics.feedback.labels("any", item.outcome, "any").inc()
