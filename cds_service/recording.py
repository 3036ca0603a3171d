"""What is kept of a call: who asked, what was judged, which cards went out. Never what the patient's data were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cds_service import __version__
from cds_service.rules.evaluate import Result
from cds_service.rules.rule import Indicator, Mode
from cds_service.store.records import CardRecord, InvocationRecord, OutcomeRecord

if TYPE_CHECKING:
    from cds_service.stages import Call

# A table, because reading `.value` of an enumeration's member takes four times as long.
_TEXT: dict[str, str] = {each: each.value for kind in (Mode, Result, Indicator) for each in kind}
ORDERS, UNREADABLE = "orders", "unreadable"
"""Source and kind of the gap that an order leaves which could not be read, beside others that could."""


def invocation_of(call: Call) -> InvocationRecord:
    """The record of a call that was answered."""
    request, facts = call.request, call.facts
    return InvocationRecord(
        at=datetime.now(UTC),
        client=call.profile.id,
        service=call.service.ready.service.id,
        hook=request.hook,
        status=200,
        hook_instance=request.hook_instance,
        patient=request.patient_id,
        user=request.user_id,
        as_of=call.as_of,
        gaps=(
            *(f"{ORDERS}:{UNREADABLE}" for _ in call.unread_orders),
            *(f"{gap.source}:{gap.kind}" for gap in (facts.gaps if facts else ())),
        ),
        timings_ms={name: round(ms, 3) for name, ms in call.timings.items()},
        config_hash=call.engine.config_hash,
        engine_version=__version__,
        shadow=not any(mode is Mode.LIVE for _, mode in call.service.rules),
        outcomes=tuple(
            OutcomeRecord(
                rule=o.rule.id,
                version=o.rule.version,
                mode=_TEXT[o.mode],
                outcome=_TEXT[o.result],
                indicator=_TEXT[o.indicator] if o.result is Result.FIRES else None,
                order=o.order.reference if o.order else None,
            )
            for o in call.outcomes
            if o.result is not Result.NOT_TRIGGERED
        ),
        cards=tuple(
            CardRecord(
                uuid=composed.card.uuid,
                rule=composed.rule.id,
                version=composed.rule.version,
                indicator=composed.indicator.value,
                topic=composed.topic,
                mode="live",
                suggestions=composed.suggestions,
            )
            for composed in call.cards
        ),
    )
