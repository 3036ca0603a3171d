"""What the load consists of: case files as they are, and a FHIR server that holds the chart of one of them."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CASES = Path(__file__).resolve().parents[2] / "fixtures/cases"
AS_OF = "2026-11-21T12:00:00Z"
SIGN, VIEW = "calciphylaxis-order-sign", "calciphylaxis-patient-view"
# Its chart is what the FHIR server holds; the call itself brings no prefetch.
READ_CASE = "vka-dialysis-new-start"
# How the prefetch keys of the cases are called in a FHIR server.
TYPES = {
    "patient": "Patient",
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}


@dataclass(frozen=True)
class Call:
    """One call and the cards that the case file asks for: (rule, indicator) in order."""

    name: str
    service: str
    body: bytes
    expected: tuple[tuple[str, str], ...]


def complete_calls() -> list[Call]:
    """Every case of two services whose prefetch is complete and whose rule modes are the default ones."""
    found = []
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_bytes())
        usual = case["service"] in (SIGN, VIEW) and case["as_of"] == AS_OF and "modes" not in case
        if usual and "fhirServer" not in case["request"] and case["expect"].get("status", 200) == 200:  # noqa: PLR2004
            expected = tuple((card["rule"], card["indicator"]) for card in case["expect"].get("cards", ()))
            found.append(Call(path.stem, case["service"], _bytes(case["request"]), expected))
    return found


def read_call(fhir_base: str) -> Call:
    """The call without prefetch, for which the service reads the chart."""
    case = json.loads((CASES / f"{READ_CASE}.json").read_bytes())
    request = copy.deepcopy(case["request"])
    del request["prefetch"]
    request["fhirServer"] = fhir_base
    expected = tuple((card["rule"], card["indicator"]) for card in case["expect"]["cards"])
    return Call("read-from-fhir", case["service"], _bytes(request), expected)


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, chart: dict[str, bytes], *arguments: Any) -> None:
        self._chart = chart
        super().__init__(*arguments)

    def handle(self) -> None:
        # A caller that gave up while this server hung is no fault of either.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        kind = urlsplit(self.path).path.removeprefix("/fhir/").partition("/")[0]
        body = self._chart.get(kind)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def serve(port: int) -> None:
    """The FHIR server; runs until it is ended. Stopped by a signal (SIGSTOP) it hangs as a real one does."""
    prefetch = json.loads((CASES / f"{READ_CASE}.json").read_bytes())["request"]["prefetch"]
    chart = {TYPES[key]: json.dumps(value).encode() for key, value in prefetch.items()}
    _Server(("127.0.0.1", port), partial(_Handler, chart)).serve_forever()
