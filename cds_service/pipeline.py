"""The straight line from a call to its cards.

receive - trust - decode - trigger - complete - normalise - evaluate - compose - record - respond.
Everything between decode and compose is synchronous, pure and free of I/O except `complete`.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import msgspec

from cds_service import stages
from cds_service.engine import Engine
from cds_service.load.admission import Turn
from cds_service.protocol.response import CardsOut, encode
from cds_service.shapes import watched
from cds_service.stages import Call
from cds_service.trace import explain


class Reply(msgspec.Struct, frozen=True):
    """Status and body of an answer, ready for the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = {}


async def answer(
    engine: Engine, service_id: str, headers: dict[str, str], body: bytes, turn: Turn | None = None
) -> Reply:
    """Cards for one call; `turn` says when it came and learns whose it is.

    Raises:
        CdsError: the call cannot be answered; its status and OperationOutcome go to the caller.
    """
    call = await _run(engine, service_id, headers, body, turn)
    return Reply(200, encode(CardsOut([composed.card for composed in call.cards])))


async def trace(
    engine: Engine, service_id: str, headers: dict[str, str], body: bytes, turn: Turn | None = None
) -> Reply:
    """The same line, answered with everything that led to the cards."""
    call = await _run(engine, service_id, headers, body, turn, kept=False)
    report: dict[str, Any] = explain(call.outcomes, call.facts, call.dropped)
    report["unclassified"] = list(call.unclassified)
    report["timings"] = {stage: round(ms, 3) for stage, ms in call.timings.items()}
    report["cards"] = [composed.card for composed in call.cards]
    return Reply(200, encode(report))


async def _run(
    engine: Engine,
    service_id: str,
    headers: dict[str, str],
    body: bytes,
    turn: Turn | None,
    *,
    kept: bool = True,
) -> Call:
    call = Call(engine, body, turn or Turn())
    with watched(call, headers) if kept else nullcontext():
        await stages.trust(call, headers, service_id)
        stages.decode(call)
        await stages.resolve_drafts(call)
        if stages.trigger(call):
            await stages.complete(call)
            stages.normalise(call)
            stages.evaluate(call)
            stages.compose(call)
        if kept:
            await stages.record(call)
            stages.admit_lost_orders(call)
    return call
