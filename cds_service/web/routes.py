"""Pages of our own: which there are, and the small ones among them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from cds_service.engine import Engine
from cds_service.rules.service import Content
from cds_service.web.fixtures import find_fixtures
from cds_service.web.governance.routes import mount_governance
from cds_service.web.operators import offers_operator_pages
from cds_service.web.pages import Pages, headers
from cds_service.web.playground.routes import mount_playground
from cds_service.web.rules.routes import mount_rules
from cds_service.web.setup.routes import mount_setup
from cds_service.web.start import mount_start
from cds_service.web.trend.routes import mount_trend

_STATIC = Path(__file__).parent / "static"
_STATIC_FILES = ("style.css", "trend.css", "governance.css", "copy.js", "icon.svg")
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_TAGS = {
    "read": "read in the source",
    "secondary": "reported by another source",
    "memory": "from memory, to be checked",
}


def mount_pages(app: FastAPI, engine: Engine) -> None:
    """Every page, the style sheet and our one small script."""
    pages = Pages(engine.settings)
    fixtures = find_fixtures()
    _mount_static(app)
    mount_start(app, engine, pages, fixtures)
    _mount_reference(app, engine, pages)
    if engine.settings.offers_playground and offers_operator_pages(engine.settings):
        mount_playground(app, engine, pages, fixtures)
    mount_rules(app, engine, pages, fixtures)
    mount_setup(app, engine, pages)
    mount_trend(app, engine, pages, fixtures)
    mount_governance(app, engine, pages)


def _mount_reference(app: FastAPI, engine: Engine, pages: Pages) -> None:
    pages.offer("/docs")
    pages.offer("/evidence")

    @app.get("/docs", include_in_schema=False)
    async def api() -> Response:
        return pages.html("api.html", "/docs", operations=_operations(app.openapi()))

    @app.get("/evidence", include_in_schema=False)
    async def evidence() -> Response:
        contents = {ready.service.content.name: ready.service.content for ready in engine.services.values()}
        return pages.html(
            "evidence.html",
            "/evidence",
            contents=[_evidence(engine, content) for content in contents.values()],
            tags=_TAGS,
        )


def _mount_static(app: FastAPI) -> None:
    for name in _STATIC_FILES:
        app.add_api_route(f"/{name}", _static_file(_STATIC / name), include_in_schema=False)


def _static_file(path: Path) -> Callable[[], Awaitable[Response]]:
    body, kind = path.read_bytes(), _KINDS[path.suffix]

    async def answer() -> Response:
        return Response(body, media_type=kind, headers={**headers(), "Cache-Control": "max-age=300"})

    return answer


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation.get("summary", ""),
            "statuses": sorted(operation.get("responses", {})),
            "anchor": re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _evidence(engine: Engine, content: Content) -> dict[str, Any]:
    rules = {
        use.rule.id: use.rule
        for ready in engine.services.values()
        if ready.service.content is content
        for use in ready.service.rules
    }
    supported = {
        citation.key: [
            {"rule": rule.title, "says": cites.says}
            for rule in sorted(rules.values(), key=lambda rule: rule.number)
            for cites in rule.evidence
            if cites.citation.key == citation.key
        ]
        for citation in content.citations
    }
    return {
        "name": content.name,
        "version": content.version,
        "citations": content.citations,
        "background": content.background,
        "supported": supported,
        "rules": sorted(rules.values(), key=lambda rule: rule.number),
    }
