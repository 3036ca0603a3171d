"""A made-up fortnight for the demo: the rules really run, over the synthetic cases; the rest is invented.

Two sites that do not exist call on invented days; invented users answer some of the cards. Everything stands
under client names that begin with `simulated-`. The last day holds two incidents on purpose, so that the
governance page has something to show: no warfarin for dialysis patients anywhere, and results without units at
one site.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from cds_service import stages
from cds_service.clients.profile import ClientProfile
from cds_service.content.cases import Case, parse_as_of
from cds_service.engine import Engine
from cds_service.errors import CdsError
from cds_service.metrics import Metrics
from cds_service.protocol.feedback import FeedbackItem
from cds_service.recording import invocation_of
from cds_service.stages import Call
from cds_service.store.errors import StoreUnavailable
from cds_service.store.records import InvocationRecord
from cds_service.store.store import Store

SIMULATED = "simulated-"
"""How the names of clients begin that do not exist."""
DAYS = 14
_SEED = 20_261_121
CALLS = 70
"""Calls a day and site on a working day; a third of them at weekends."""
_SITES = (
    ClientProfile(id=f"{SIMULATED}harbour"),
    ClientProfile(id=f"{SIMULATED}riverside", unit_system="SI", rules={"mbd-labs-missing": "shadow"}),
)
_SILENCED = "vka-dialysis"
_ACCEPTED, _OVERRIDDEN = 0.3, 0.72
_PATIENCE_S = 5.0
_TOGETHER = 50
_BREATH_S = 0.002
"""Pause between two calls: whoever uses the demo meanwhile goes first."""


@dataclass(frozen=True, slots=True)
class _Planned:
    at: datetime
    site: ClientProfile
    case: Case


async def simulate(
    engine: Engine, store: Store, cases: Sequence[Case], now: datetime, *, calls: int = CALLS
) -> int:
    """Write the fortnight before `now` (with zone) into the store; returns the number of calls written.

    The same cases and the same moment give the same calls. Stops early when the store is closed.
    """
    # Its own counters: what is made up must not show in /metrics.
    apart = replace(engine, store=None, metrics=Metrics(), _views={})
    dice = random.Random(_SEED)  # noqa: S311 - invented data, not a secret
    written = 0
    plan = _plan(dice, cases, now, calls)
    while planned := list(islice(plan, _TOGETHER)):
        kept = [item for item in [await _judged(apart, dice, one) for one in planned] if item is not None]
        done = await asyncio.gather(*(store.record(item.record, timeout=_PATIENCE_S) for item in kept))
        try:
            for site in _SITES:
                answers = [
                    answer for item in kept if item.record.client == site.id for answer in item.answers
                ]
                await store.feedback(answers, site.id, timeout=_PATIENCE_S)
        except StoreUnavailable:
            return written
        written += sum(done)
        if not all(done):
            return written
    return written


def _plan(dice: random.Random, cases: Sequence[Case], now: datetime, busy: int) -> Iterator[_Planned]:
    usable = sorted((case for case in cases if not case.modes), key=lambda case: case.case)
    silenced = [case for case in usable if not _fires(case, _SILENCED)]
    broken = [case for case in silenced if "cannot-assess" in case.expect.outcomes.values()]
    for days in range(DAYS, 0, -1):
        begin = now.astimezone(UTC) - timedelta(days=days)
        calls = busy // 3 if begin.weekday() >= 5 else busy  # noqa: PLR2004 - Saturday
        for site in _SITES:
            choice = usable if days > 1 else broken if site is _SITES[1] else silenced
            for case in dice.choices(choice, [_weight(case) for case in choice], k=calls):
                yield _Planned(begin + timedelta(seconds=dice.randrange(86_400)), site, case)


def _weight(case: Case) -> float:
    """Warfarin on dialysis is common among the cases that matter here; most calls show no card."""
    if _fires(case, _SILENCED):
        return 3.0
    return 1.0 if case.expect.cards else 2.0


def _fires(case: Case, rule: str) -> bool:
    return case.expect.outcomes.get(rule) == "fires" or any(card.rule == rule for card in case.expect.cards)


@dataclass(frozen=True, slots=True)
class _Kept:
    record: InvocationRecord
    answers: list[FeedbackItem]


async def _judged(engine: Engine, dice: random.Random, planned: _Planned) -> _Kept | None:
    """The case judged for the site; None where it is a case of a refused call."""
    call = Call(engine, bytes(planned.case.request))
    call.as_of = parse_as_of(planned.case.as_of)
    call.profile = planned.site
    service = engine.service_for(planned.case.service, planned.site)
    if service is None:
        return None
    call.service = service
    try:
        stages.decode(call)
        await stages.resolve_drafts(call)
        if stages.trigger(call):
            await stages.complete(call)
            stages.normalise(call)
            stages.evaluate(call)
            stages.compose(call)
    except CdsError:
        return None
    await asyncio.sleep(_BREATH_S)
    record = msgspec.structs.replace(invocation_of(call), at=planned.at)
    return _Kept(record, list(_answers(dice, call, planned.at)))


def _answers(dice: random.Random, call: Call, at: datetime) -> Iterator[FeedbackItem]:
    """What the invented user does with each card: take the first suggestion, override, or nothing."""
    for composed in call.cards:
        chance, card = dice.random(), composed.card
        when = (at + timedelta(seconds=dice.randrange(5, 90))).replace(tzinfo=None)
        stamp = f"{when.isoformat(timespec='microseconds')}Z"
        if chance < _ACCEPTED and composed.suggestions:
            first = next(iter(composed.suggestions))
            yield FeedbackItem(
                card=card.uuid, outcome="accepted", outcome_timestamp=stamp, accepted_suggestions=(first,)
            )
        elif chance < _OVERRIDDEN and composed.rule.override_reasons:
            reason = dice.choice(composed.rule.override_reasons)
            yield FeedbackItem(
                card=card.uuid,
                outcome="overridden",
                outcome_timestamp=stamp,
                reason_system=call.service.ready.service.content.override_system,
                reason_code=reason.code,
                reason_display=reason.display,
            )
