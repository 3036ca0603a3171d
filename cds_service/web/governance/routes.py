"""`/governance` for operators: figures, CSV, the latest fires of a rule, and one call with everything on record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response

from cds_service.engine import Engine
from cds_service.rules.rule import Rule
from cds_service.simulation import SIMULATED
from cds_service.store.governance import Governance, Window
from cds_service.web import charts
from cds_service.web.governance import alarms as watching
from cds_service.web.governance.export import as_csv
from cds_service.web.governance.figures import Report, report, window_of
from cds_service.web.operators import offers_operator_pages, refusal
from cds_service.web.pages import Pages, headers

_HERE = "/governance"
WEEKS = (1, 2, 4, 8, 26)
_DEFAULT_WEEKS = 4
_MOST_FIRES = 100
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_Page = Callable[[Request], Awaitable[Response]]


def mount_governance(app: FastAPI, engine: Engine, pages: Pages) -> None:
    """Adds the operators' pages, where the settings allow any."""
    if not offers_operator_pages(engine.settings) or engine.store is None:
        return
    pages.offer(_HERE)
    desk = _Desk(engine, engine.store.governance, pages)
    for path, page in (
        ("/governance", desk.overview),
        ("/governance.csv", desk.csv),
        ("/governance/fires", desk.fires),
        ("/governance/call", desk.call),
    ):
        app.add_api_route(path, desk.guarded(page), include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the form asks for; anything else in the address is ignored."""

    weeks: int
    client: str | None
    rule: str | None
    fired: bool

    @classmethod
    def of(cls, request: Request) -> Filter:
        asked = request.query_params
        weeks = asked.get("weeks", "")
        return cls(
            int(weeks) if weeks.isdecimal() and int(weeks) in WEEKS else _DEFAULT_WEEKS,
            _name(asked.get("client")),
            _name(asked.get("rule")),
            asked.get("fired") == "1",
        )

    @property
    def query(self) -> str:
        parts = [
            f"weeks={self.weeks}",
            self.client and f"client={self.client}",
            self.rule and f"rule={self.rule}",
            self.fired and "fired=1",
        ]
        return "&".join(part for part in parts if part)


def _name(text: str | None) -> str | None:
    return text if text and _NAME.fullmatch(text) else None


class _Desk:
    """The pages, all of which read the store in a thread: nothing here may hold up a call."""

    def __init__(self, engine: Engine, source: Governance, pages: Pages) -> None:
        self._engine = engine
        self._source = source
        self._pages = pages

    def guarded(self, page: _Page) -> _Page:
        async def answer(request: Request) -> Response:
            refused = refusal(request, self._engine.settings, self._pages)
            return refused or await page(request)

        return answer

    @property
    def _rules(self) -> dict[str, Rule]:
        used = (use.rule for ready in self._engine.services.values() for use in ready.service.rules)
        return {rule.id: rule for rule in sorted(used, key=lambda rule: rule.number)}

    async def overview(self, request: Request) -> Response:
        chosen, now = Filter.of(request), datetime.now(UTC)
        window = window_of(now, chosen.weeks, chosen.client, chosen.rule)
        found = await self._report(chosen, window)
        alarms = await asyncio.to_thread(self._alarms, now)
        clients = await asyncio.to_thread(self._source.clients)
        sparks = await charts.draw(partial(_sparks, found, window))
        return self._pages.html(
            "governance/page.html",
            _HERE,
            report=found,
            alarms=alarms,
            sparks=sparks,
            chosen=chosen,
            weeks=WEEKS,
            clients=clients,
            rules=self._rules,
            simulated=any(client.startswith(SIMULATED) for client in clients),
            is_simulated=lambda client: client.startswith(SIMULATED),
            window=window,
            bounds=watching,
        )

    async def _report(self, chosen: Filter, window: Window) -> Report:
        found = await asyncio.to_thread(report, self._source, window)
        return found.only_fired() if chosen.fired else found

    def _alarms(self, now: datetime) -> list[watching.Alarm]:
        day = Window(since=now - watching.DAY, until=now + timedelta(minutes=1))
        before = Window(since=day.since - watching.BEFORE_DAYS * watching.DAY, until=day.since)
        return watching.alarms(
            self._source.outcomes(day),
            self._source.outcomes(before),
            calls=sum(1 for _ in self._source.calls(day)),
            unmapped=self._unmapped(),
        )

    def _unmapped(self) -> dict[str, int]:
        samples = [sample for metric in self._engine.metrics.unmapped.collect() for sample in metric.samples]
        return {s.labels["kind"]: int(s.value) for s in samples if s.name.endswith("_total")}

    async def csv(self, request: Request) -> Response:
        chosen = Filter.of(request)
        window = window_of(datetime.now(UTC), chosen.weeks, chosen.client, chosen.rule)
        found = await self._report(chosen, window)
        disposition = {"Content-Disposition": 'attachment; filename="governance.csv"'}
        return Response(as_csv(found), media_type="text/csv", headers={**headers(), **disposition})

    async def fires(self, request: Request) -> Response:
        chosen = Filter.of(request)
        window = window_of(datetime.now(UTC), chosen.weeks, chosen.client, chosen.rule)
        week = _date(request.query_params.get("week"))
        if week is not None:
            start = datetime.combine(week, datetime.min.time(), UTC)
            window = Window(
                since=start, until=start + timedelta(weeks=1), client=chosen.client, rule=chosen.rule
            )
        found = await asyncio.to_thread(self._source.fires, window, _MOST_FIRES)
        return self._pages.html(
            "governance/fires.html",
            _HERE,
            fires=found,
            chosen=chosen,
            week=week,
            rules=self._rules,
            most=_MOST_FIRES,
            is_simulated=lambda client: client.startswith(SIMULATED),
        )

    async def call(self, request: Request) -> Response:
        ident = request.query_params.get("id", "")
        shown = self._engine.settings.governance_identifiers
        record = await asyncio.to_thread(self._source.record, ident)
        if record is None:
            text = "There is no call with this number on record. It may have been deleted after the retention time."
            return self._pages.message(404, "No such call", text, _HERE)
        feedback = await asyncio.to_thread(partial(self._source.feedback, ident, comments=shown))
        return self._pages.html(
            "governance/call.html",
            _HERE,
            record=record,
            feedback=feedback,
            rules=self._rules,
            identifiers=shown,
            simulated=record.client.startswith(SIMULATED),
        )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _sparks(found: Report, window: Window) -> dict[tuple[str, str], Any]:
    """A small chart of fires by day for each site and rule that fired at all."""
    from cds_service.web.governance.spark import spark  # noqa: PLC0415 - Altair takes a second to load

    days = [
        (window.since + timedelta(days=number)).date()
        for number in range((window.until - window.since).days + 1)
    ]
    pairs = dict.fromkeys((key.client, key.rule) for key, figures in found.rows.items() if figures.last_fired)
    return {
        pair: spark(f"spark-{number}", f"{pair[1]} at {pair[0]}", days, found.fires_by_day(*pair))
        for number, pair in enumerate(pairs)
    }
