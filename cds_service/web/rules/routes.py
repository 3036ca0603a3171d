"""`/rules`: a fact sheet for each rule, as a page and as JSON, and a search for codes."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from cds_service.content.words import HOOKS, INDICATORS
from cds_service.engine import Engine
from cds_service.protocol.response import encode
from cds_service.web.fixtures import Fixtures
from cds_service.web.pages import Pages, headers
from cds_service.web.rules.lookup import Hit, Lookup
from cds_service.web.rules.sheets import FactSheet, fact_sheets

HERE = "/rules"
_LONGEST = 200


def mount_rules(app: FastAPI, engine: Engine, pages: Pages, fixtures: Fixtures) -> None:
    """Adds `/rules`, `/rules/{id}` and both with `.json`."""
    pages.offer(HERE)
    shelf = _Shelf(engine, fixtures)

    @app.get(HERE, include_in_schema=False)
    def index(request: Request, code: str = "", system: str = "") -> Response:
        code, system = code[:_LONGEST], system[:_LONGEST]
        if _wants_json(request):
            return _index_json(shelf, code, system)
        return pages.html(
            "rules/index.html",
            HERE,
            sheets=shelf.sheets.values(),
            hooks=HOOKS,
            indicators=INDICATORS,
            systems=shelf.lookup.systems,
            code=code,
            system=system,
            hits=shelf.lookup.find(code, system) if code.strip() else None,
        )

    @app.get(f"{HERE}.json", include_in_schema=False)
    def index_json(code: str = "", system: str = "") -> Response:
        return _index_json(shelf, code[:_LONGEST], system[:_LONGEST])

    @app.get(HERE + "/{rule_id}", include_in_schema=False)
    def one(request: Request, rule_id: str) -> Response:
        sheet = shelf.sheets.get(rule_id.removesuffix(".json"))
        if sheet is None:
            return pages.message(404, "No such rule", "There is no rule with this id.", HERE)
        if rule_id.endswith(".json") or _wants_json(request):
            return _json(sheet.as_json())
        return pages.html("rules/sheet.html", HERE, sheet=sheet, rule=sheet.rule)

    @app.get(HERE + "/{rule_id}/codes", include_in_schema=False)
    def codes(rule_id: str) -> Response:
        sheet = shelf.sheets.get(rule_id)
        if sheet is None:
            return pages.message(404, "No such rule", "There is no rule with this id.", HERE)
        lists = [section for section in sheet.sections if section.has_codes]
        return pages.html("rules/codes.html", HERE, rule=sheet.rule, sections=lists)


class _Shelf:
    """Sheets and index of codes, made when first asked for, and again when the site changes its configuration."""

    def __init__(self, engine: Engine, fixtures: Fixtures) -> None:
        self._engine = engine
        self._cases = fixtures.all_cases
        self._made_of: object = None

    @property
    def sheets(self) -> dict[str, FactSheet]:
        self._make()
        return self._sheets

    @property
    def lookup(self) -> Lookup:
        self._make()
        return self._lookup

    def _make(self) -> None:
        ready = self._engine.services
        if self._made_of is not ready:
            services = [each.service for each in ready.values()]
            self._sheets = fact_sheets(services, self._cases)
            self._lookup = Lookup(services)
            self._made_of = ready


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _json(document: object) -> Response:
    return Response(encode(document), media_type="application/json", headers=headers())


def _index_json(shelf: _Shelf, code: str, system: str) -> Response:
    document: dict[str, object] = {
        "rules": [
            {
                "id": sheet.rule.id,
                "number": sheet.rule.number,
                "version": sheet.rule.version,
                "title": sheet.rule.title,
                "review": sheet.rule.review.status,
                "url": f"{HERE}/{sheet.rule.id}.json",
            }
            for sheet in shelf.sheets.values()
        ]
    }
    if code.strip():
        document["codes"] = [_hit(hit) for hit in shelf.lookup.find(code, system)]
    return _json(document)


def _hit(hit: Hit) -> dict[str, object]:
    return {
        "system": hit.coding.system,
        "code": hit.coding.code,
        "display": hit.coding.display,
        "valueSet": hit.value_set.id,
        "valueSetVersion": hit.value_set.version,
        "lookAlike": hit.look_alike,
        "rules": [rule.id for rule in hit.rules],
    }
