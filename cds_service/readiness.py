"""`/ready`: whether calls may be sent here, and everything an operator should know about the answer.

The store is not a condition: without it cards still go out, and replicas that all said "not ready" because
of one database would take every card with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cds_service import __version__
from cds_service.engine import Engine

_MOST_SKEW_S = 60


async def readiness(engine: Engine) -> dict[str, Any]:
    """Configuration, keys, store, rules and load. Holds no value of a setting and no patient data."""
    store = engine.store
    reachable = await store.healthy() if store is not None else None
    state = engine.state
    report: dict[str, Any] = {
        "ready": not state.draining,
        "version": __version__,
        "environment": engine.settings.environment,
        "configuration": engine.config_hash,
        "configuredAt": _text(state.reloaded),
        "liveRules": engine.live_rules(),
        "store": "none" if reachable is None else "ok" if reachable else "not reachable",
        "calls": {"inProgress": engine.admission.busy, "waiting": engine.admission.waiting},
    }
    if store is not None:
        counters = store.counters
        report["records"] = {
            "written": counters.written,
            "late": counters.late,
            "lost": counters.dropped,
            "waiting": store.waiting,
        }
    if state.problem is not None:
        report["reload"] = {
            "refused": state.problem.setting,
            "reason": state.problem.reason,
            "at": _text(state.problem.at),
        }
    if keys := _keys(engine):
        report["keys"] = keys
    if engine.verifier is not None and engine.verifier.last_skew_s is not None:
        report["clockSkewSeconds"] = round(engine.verifier.last_skew_s, 1)
    if notes := list(_notes(engine, reachable=reachable)):
        report["notes"] = notes
    return report


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _keys(engine: Engine) -> dict[str, dict[str, Any]]:
    """State of the keys that are fetched, by client."""
    if engine.keys is None:
        return {}
    fetched = {profile.id for profile in engine.profiles if profile.jwks_url is not None}
    return {
        client: {
            "keys": status.keys,
            "failures": status.failures,
            **({} if status.age_s is None else {"ageSeconds": round(status.age_s)}),
        }
        for client, status in engine.keys.status().items()
        if client in fetched
    }


def _notes(engine: Engine, *, reachable: bool | None) -> Iterator[str]:
    if engine.state.draining:
        yield "this process is about to end"
    if engine.settings.as_of is not None:
        yield "the clinical clock is fixed by CDS_AS_OF"
    if not engine.settings.authenticated:
        yield "callers are not authenticated (development)"
    if engine.live_rules() == 0:
        yield "no rule is live: every rule lacks a site approval or is switched off"
    if reachable is False:
        yield "the store is not reachable: cards go out, records wait, feedback is answered 503"
    if engine.store is not None and engine.store.counters.dropped:
        yield "records were lost"
    if engine.state.problem is not None:
        yield "the last reload was refused; the configuration before it is in force"
    for client, keys in _keys(engine).items():
        if not keys["keys"]:
            yield f"no key of client {client} is known: its calls are refused"
        elif keys["failures"]:
            yield f"the keys of client {client} could not be refreshed; the old ones are in use"
    skew = engine.verifier.last_skew_s if engine.verifier is not None else None
    # A token may be minutes old when it is used, but it cannot come from the future.
    if skew is not None and skew < -_MOST_SKEW_S / 2:
        yield "our clock is behind that of a client"
