"""One HTTP exchange with the service under test: nothing followed, nothing retried, everything kept."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

LIMIT = 10_000_000
"""Bytes of an answer that are read; more is no answer of a CDS service."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotJson:
    """Stands for the document of an answer that is not strict JSON."""

    def __repr__(self) -> str:
        return "not JSON"


NOT_JSON = NotJson()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back. `status` is 0 when nothing did, and `error` then names the class of the failure."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    begun: float = 0.0
    ended: float = 0.0
    error: str = ""
    document: Any = NOT_JSON

    @property
    def milliseconds(self) -> float:
        return (self.ended - self.begun) * 1000

    @property
    def says_json(self) -> bool:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")

    @property
    def told(self) -> str:
        """The status, or why there is none, for evidence."""
        return f"status {self.status}" if self.status else f"no answer ({self.error})"


def is_url(text: str) -> bool:
    """Whether this is an http(s) URL with a host and without credentials."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10.0,
) -> Exchange:
    """Send one request on a connection of its own; the clock starts when the connection stands."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    begun = time.perf_counter()
    try:
        connection.connect()
        begun = time.perf_counter()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(LIMIT + 1)
        ended = time.perf_counter()
    except (OSError, http.client.HTTPException, ValueError) as error:
        # ValueError: http.client refuses headers and paths with control characters.
        return Exchange(0, begun=begun, ended=time.perf_counter(), error=_name(error))
    finally:
        connection.close()
    if len(content) > LIMIT:
        return Exchange(0, begun=begun, ended=ended, error="answer too large")
    found = {name.lower(): value for name, value in response.getheaders()}
    return Exchange(response.status, found, content, begun, ended, document=parse(content))


def _name(error: Exception) -> str:
    if isinstance(error, TimeoutError | socket.timeout):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "TLS failure"
    return type(error).__name__


def parse(content: bytes) -> Any:
    """The document of a body, or `NOT_JSON`; NaN, comments and trailing commas are not JSON."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOT_JSON
