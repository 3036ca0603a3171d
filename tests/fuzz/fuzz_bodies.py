"""What is fuzzed: the call of every case and every odd body, each with secrets in it that no answer may show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
SECRET = "secret-canary"
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class _File(msgspec.Struct):
    service: str
    request: msgspec.Raw = msgspec.Raw(b"null")
    as_of: str = "2026-11-21T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Body:
    """One real-shaped call: `document` makes a fresh copy to be changed."""

    name: str
    service: str
    as_of: datetime
    encoded: bytes

    def document(self) -> dict:
        return _decoder.decode(self.encoded)


def encode(document: object) -> bytes:
    """JSON with decimals as numbers, so that they keep their digits."""
    return _encoder.encode(document)


@cache
def bodies() -> tuple[Body, ...]:
    """In a fixed order, so that a seed means the same everywhere."""
    found = []
    for path in sorted((ROOT / "fixtures").rglob("*.json")):
        try:
            file = msgspec.json.decode(path.read_bytes(), type=_File)
        except msgspec.ValidationError:  # a patient, an index: no call
            continue
        request = _decoder.decode(file.request)
        if isinstance(request, dict):
            found.append(
                Body(
                    path.relative_to(ROOT).as_posix(),
                    file.service,
                    datetime.fromisoformat(file.as_of),
                    encode(_with_secrets(request)),
                )
            )
    return tuple(found)


def _with_secrets(request: dict) -> dict:
    request["fhirAuthorization"] = {
        "access_token": f"{SECRET}-token",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": f"{SECRET}/scope",
        "subject": f"{SECRET}-subject",
    }
    request["extension"] = {SECRET: [{SECRET: f"{SECRET}-extension"}]}
    context = request.get("context")
    if isinstance(context, dict) and str(context.get("userId", "")).startswith("Practitioner"):
        context["userId"] = f"Practitioner/{SECRET}"
    prefetch = request.get("prefetch")
    for value in prefetch.values() if isinstance(prefetch, dict) else ():
        if isinstance(value, dict) and value.get("resourceType") == "Patient":
            value["name"] = [{"family": f"{SECRET}-family", "given": [f"{SECRET}-given"]}]
            value["identifier"] = [{"system": "urn:mrn", "value": f"{SECRET}-mrn"}]
    return request
