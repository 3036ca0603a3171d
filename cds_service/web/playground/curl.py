"""The same call as a line for a terminal."""

from __future__ import annotations

from shlex import quote

from cds_service.engine import Engine
from cds_service.web.playground.source import Source

FILE = "request.json"


def curl_line(engine: Engine, source: Source, *, changed: bool) -> str:
    """Sends the case as it is; a call of the visitor's own, or a changed one, from a file they save it to."""
    base = engine.settings.base_url
    token = " -H 'Authorization: Bearer '\"$TOKEN\"" if engine.settings.authenticated else ""
    post = (
        f"curl -s {quote(f'{base}/cds-services/{source.service}')}{token} -H 'Content-Type: application/json'"
    )
    if source.share and not changed:
        return f"curl -s {quote(f'{base}/playground/request.json?{source.query}')} | {post} --data-binary @-"
    return f"{post} --data-binary @{FILE}"
