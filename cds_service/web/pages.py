"""What every page of ours shares: templates, navigation, headers. Server-rendered, under a strict CSP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cds_service import __version__
from cds_service.settings import Settings

NAVIGATION = (
    ("/", "Start"),
    ("/playground", "Playground"),
    ("/rules", "Rules"),
    ("/evidence", "Evidence"),
    ("/trend", "Trends"),
    ("/governance", "Governance"),
    ("/setup", "Set-up"),
    ("/docs", "API"),
)
"""Every page that can stand in the navigation, in order; only those that are offered appear."""

_TEMPLATES = Path(__file__).parent / "templates"
_OTHER_SITES = ("cross-site", "same-site")


def headers(*, script: bool = False, frame_ancestors: Sequence[str] = ()) -> dict[str, str]:
    """Response headers of a page.

    Args:
        script: allow our own script files; nothing else may ever run.
        frame_ancestors: origins that may show the page in a frame, such as an EHR that launched it.
    """
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        *(("script-src 'self'",) if script else ()),
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {' '.join(frame_ancestors) or chr(39) + 'none' + chr(39)}",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }


def from_another_site(request: Request) -> bool:
    """A form that a page of another site made the browser send. Browsers say so; curl says nothing."""
    return request.headers.get("sec-fetch-site") in _OTHER_SITES


def _markdown_html(text: str) -> Markup:
    from cds_service.web.markdown import markdown_html  # noqa: PLC0415 - not before a page needs the library

    return markdown_html(text)


class Pages:
    """Renders templates; knows which pages this process offers."""

    def __init__(self, settings: Settings) -> None:
        self._offered: set[str] = set()
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            version=__version__,
            development=settings.environment == "development",
            offers=self._offered.__contains__,
        )
        self._templates.filters["markdown_html"] = _markdown_html

    def offer(self, path: str) -> None:
        """Show this path in the navigation and let templates link to it (`{% if offers(path) %}`)."""
        self._offered.add(path)

    def html(
        self,
        template: str,
        here: str,
        *,
        status: int = 200,
        script: bool = False,
        frame_ancestors: Sequence[str] = (),
        **values: Any,
    ) -> Response:
        """A page; `here` is the path of its entry in the navigation."""
        navigation = [(path, label) for path, label in NAVIGATION if path in self._offered]
        text = self._templates.get_template(template).render(
            here=here, navigation=navigation, script=script, **values
        )
        return Response(
            text,
            status_code=status,
            media_type="text/html",
            headers=headers(script=script, frame_ancestors=frame_ancestors),
        )

    def message(self, status: int, title: str, text: str, here: str = "") -> Response:
        """A page that says in plain words why there is nothing else to see."""
        return self.html("message.html", here, status=status, title=title, text=text)
