"""Answers a visitor's choice with a page: the choices, or the cards and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Response

from cds_service.content.cases import Case
from cds_service.content.find import unique_rules
from cds_service.engine import Engine
from cds_service.web import documents
from cds_service.web.fixtures import MISSING
from cds_service.web.pages import Pages
from cds_service.web.playground.clients import CLIENTS, Client, engine_for
from cds_service.web.playground.curl import curl_line
from cds_service.web.playground.evaluation import Evaluated, differences, evaluate
from cds_service.web.playground.results import edited, fields
from cds_service.web.playground.source import MAX_CHOICES, Source, Sources, Unusable

HERE = "/playground"


class Desk:
    """One for the process; it keeps nothing of what visitors try."""

    def __init__(self, engine: Engine, pages: Pages, sources: Sources) -> None:
        self._engine = engine
        self._pages = pages
        self.sources = sources
        rules = unique_rules([ready.service for ready in engine.services.values()])
        self._titles = {rule.id: rule.title for rule in rules}

    async def answer(self, given: Mapping[str, str]) -> Response:
        # A field that was not sent is an empty one.
        form = defaultdict(str, given)
        client = CLIENTS.get(form.get("client", ""), CLIENTS["generic"])
        try:
            source = self.sources.choose(form)
        except Unusable as problem:
            return self._choices(form, client, str(problem), status=400)
        if source is None:
            return self._choices(form, client, "")
        return await self._result(form, client, source)

    def _choices(
        self, form: Mapping[str, str], client: Client, problem: str, *, status: int = 200
    ) -> Response:
        fixtures = self.sources.fixtures
        words = form.get("q", "").strip()
        cases = self._search(words)
        return self._pages.html(
            "playground/choose.html",
            HERE,
            status=status,
            problem=problem,
            missing="" if fixtures.found else MISSING,
            words=words,
            cases=list(cases.values())[:MAX_CHOICES],
            matching=len(cases),
            total=len(fixtures.cases),
            people=self.sources.people.values(),
            form=form,
            client=client,
            **self._menus(),
        )

    def _menus(self) -> dict[str, Any]:
        return {
            "clients": CLIENTS.values(),
            "services": self.sources.services.values(),
            "orders": list(self.sources.orders),
            "fhir_bases": self.sources.fhir_bases,
            "titles": self._titles,
        }

    def _search(self, words: str) -> dict[str, Case]:
        """Cases that hold every word in their name, reason, service, rules or rule titles."""
        wanted = words.casefold().split()
        found = {}
        for name, case in self.sources.fixtures.cases.items():
            rules = {*case.expect.outcomes, *(card.rule for card in case.expect.cards)}
            titles = " ".join(f"{rule} {self._titles.get(rule, '')}" for rule in rules)
            text = f"{name} {case.why} {case.service} {titles}".casefold()
            if all(word in text for word in wanted):
                found[name] = case
        return found

    async def _result(self, form: Mapping[str, str], client: Client, source: Source) -> Response:
        engine = engine_for(self._engine, client, as_of=source.as_of, modes=source.modes)
        # As at start-up: the first use of a service costs what no real call pays.
        if engine.anonymous is not None:
            engine.service_for(source.service, engine.anonymous)
        results = fields(source.body, form)
        body = edited(source.body, results)
        now = await evaluate(engine, source.service, body)
        before: Evaluated | None = None
        if body != source.body:
            before = await evaluate(engine, source.service, source.body)
        document = documents.read(body)
        return self._pages.html(
            "playground/result.html",
            HERE,
            script=True,
            status=200,
            source=source,
            client=client,
            form=form,
            results=results,
            now=now,
            changes=None if before is None else differences(before, now),
            sent=documents.pretty(body) if document is not None else body.decode(errors="replace"),
            answer=documents.pretty(documents.write({"cards": now.cards})),
            trace=documents.pretty(documents.write(now.trace)) if now.trace else "",
            curl=curl_line(engine, source, changed=body != source.body),
            share=urlencode({**source.share, "client": client.id}) if source.share else "",
            fixed_clock=source.as_of or self._engine.settings.as_of,
            **self._menus(),
        )
