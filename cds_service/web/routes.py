"""Pages of our own: start page, API page, evidence. Server-rendered, no script, strict CSP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from cds_service import __version__
from cds_service.engine import Engine
from cds_service.rules.service import Content

_FOLDER = Path(__file__).parent / "templates"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_pages = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(default=True), undefined=StrictUndefined
)
_TAGS = {
    "read": "read in the source",
    "secondary": "reported by another source",
    "memory": "from memory, to be checked",
}


def mount_pages(app: FastAPI, engine: Engine) -> None:
    """Adds `/`, `/docs`, `/evidence` and the style sheet."""

    def page(name: str, **values: Any) -> Response:
        html = _pages.get_template(name).render(version=__version__, settings=engine.settings, **values)
        return Response(html, media_type="text/html", headers=_HEADERS)

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        services = [ready.service for ready in engine.services.values()]
        return page("start.html", services=services, live=engine.live_rules())

    @app.get("/docs", include_in_schema=False)
    async def api() -> Response:
        return page("api.html", operations=_operations(app.openapi()))

    @app.get("/evidence", include_in_schema=False)
    async def evidence() -> Response:
        contents = {ready.service.content.name: ready.service.content for ready in engine.services.values()}
        return page(
            "evidence.html",
            contents=[_evidence(engine, content) for content in contents.values()],
            tags=_TAGS,
        )

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response((_FOLDER / "style.css").read_bytes(), media_type="text/css", headers=_HEADERS)


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
