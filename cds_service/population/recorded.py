"""Replay of recorded calls: case files, or bare request bodies, through the whole line from bytes to cards."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cds_service import pipeline
from cds_service.cli.explain import read_case
from cds_service.engine import Engine, build_engine
from cds_service.errors import CdsError
from cds_service.population.judge import Told
from cds_service.population.replay import CardTold, Replayed
from cds_service.population.trouble import Kind, Trouble
from cds_service.settings import load_settings


def recorded_files(source: Path) -> list[Path]:
    """Request files in a folder, or one such file."""
    return [source] if source.is_file() else sorted(source.glob("*.json"))


def replay_recorded(
    paths: list[Path], as_of: datetime | None, variants: list[dict[str, Any]], service: str | None
) -> tuple[list[Replayed], list[Trouble]]:
    """Every order of every recorded call, judged with each variant of the settings (one or two)."""
    engines: dict[str, Engine] = {}
    found: list[Replayed] = []
    troubles: list[Trouble] = []
    for path in paths:
        try:
            example = read_case(path, service)
            settings = dict(example.settings)
            if as_of is not None:
                settings["as_of"] = as_of
            traces = [
                _trace(engines, {**settings, **variant}, example.service, example.body)
                for variant in variants
            ]
        except (ValueError, OSError):
            troubles.append(Trouble(Kind.NOT_JSON, path.name))
            continue
        except CdsError:
            # The service refuses the call as it would have then: nothing to count, but said.
            troubles.append(Trouble(Kind.UNUSABLE, path.name))
            continue
        found += _orders(path.stem, traces, example.body, settings.get("as_of"))
    return found, troubles


def _trace(engines: dict[str, Engine], settings: dict[str, Any], service: str, body: bytes) -> dict[str, Any]:
    key = repr(sorted(settings.items(), key=str))
    if key not in engines:
        engines[key] = build_engine(load_settings(**settings), store=None)
    reply = asyncio.run(pipeline.trace(engines[key], service, {}, body))
    trace: dict[str, Any] = msgspec.json.decode(reply.body)
    return trace


class _Context(msgspec.Struct):
    userId: str | None = None  # noqa: N815 - wire name


class _Request(msgspec.Struct):
    context: _Context | None = None


def _orders(
    name: str, traces: list[dict[str, Any]], body: bytes, as_of: datetime | None
) -> Iterator[Replayed]:
    request = msgspec.json.decode(body, type=_Request, strict=False)
    by = (request.context.userId if request.context else None) or ""
    told = [_by_order(trace) for trace in traces]
    # Calls without orders (an opened chart) are no orders and enter no rate.
    orders = [order for order in told[0] if order is not None]
    for place, order in enumerate(orders):
        yield Replayed(
            patient=name,
            order=f"{name}: {order}",
            at=as_of.isoformat() if as_of else "",
            drug="",
            by=by,
            day=as_of.date().isoformat() if as_of else "",
            first=place == 0,
            rules=told[0][order],
            cards=_cards(traces[0]) if place == 0 else (),
            other_rules=told[1].get(order, ()) if len(told) > 1 else (),
            other_cards=_cards(traces[1]) if len(told) > 1 and place == 0 else (),
        )


def _by_order(trace: dict[str, Any]) -> dict[str | None, tuple[Told, ...]]:
    found: dict[str | None, list[Told]] = defaultdict(list)
    for item in trace["outcomes"]:
        rules = found[item["order"]]
        if item["outcome"] not in ("clear", "not-triggered"):
            rules.append(
                Told(item["rule"], item["version"], item["mode"], item["outcome"], item["indicator"] or "")
            )
    return {order: tuple(rules) for order, rules in found.items()}


def _cards(trace: dict[str, Any]) -> tuple[CardTold, ...]:
    return tuple(
        CardTold(card["source"]["label"].rpartition("(")[2].partition(" ")[0], card["indicator"])
        for card in trace["cards"]
    )
