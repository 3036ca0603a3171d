"""Structured logs with an allow-list: what is not listed is dropped, so no patient data can slip in."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "error_class",
        "error_id",
        "route",
        "rule",
        "version",
        "service",
        "client",
        "cause",
        "issuer",
        "tenant",
        "jti",
        "status",
        "host",
        "port",
        "configuration",
        "before",
        "changed",
        "setting",
        "note",
        "reason",
        "count",
        "number",
        "waiting",
        "failures",
        "url_problem",
    }
)


def only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list."""
    for name in [name for name in event if name not in _ALLOWED]:
        del event[name]
    return event


def configure_logging(*, json: bool) -> None:
    """JSON lines for machines, readable lines for a terminal."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
