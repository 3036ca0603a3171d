"""A small server on loopback: the FHIR server we name in calls, and a stranger nobody should contact."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

FHIR_PATH = "/fhir"
STRANGER_PATH = "/stranger"
KEYS_PATH = "/jwks.json"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request that reached us; `at` is comparable with the times of an exchange."""

    at: float
    method: str
    path: str
    authorization: str

    @property
    def query(self) -> str:
        """Path below the FHIR base."""
        return self.path.removeprefix(FHIR_PATH).lstrip("/")

    @property
    def resource_type(self) -> str:
        return self.query.partition("?")[0].partition("/")[0]

    @property
    def token(self) -> str:
        return self.authorization.removeprefix("Bearer ")


class Listener:
    """Answers every FHIR search with nothing found and every read with a bare resource.

    Attributes:
        hits: what reached us, in order.
        keys: the key set served at `KEYS_PATH`.
    """

    def __init__(self, port: int = 0) -> None:
        self.hits: list[Hit] = []
        self.keys: dict[str, Any] = {"keys": []}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer()

            def _answer(self) -> None:
                hit = Hit(
                    time.perf_counter(), self.command, self.path, self.headers.get("Authorization") or ""
                )
                outer.hits.append(hit)
                body = msgspec.json.encode(outer.answer(hit))
                self.send_response(200)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is printed: an address may hold an id."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, hit: Hit) -> dict[str, Any]:
        """The document for one request."""
        if hit.path == KEYS_PATH:
            return self.keys
        kind, _, rest = hit.query.partition("?")[0].partition("/")
        if rest and rest != "_search":
            return {"resourceType": kind, "id": rest}
        return {"resourceType": "Bundle", "type": "searchset", "total": 0}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
