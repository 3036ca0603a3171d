"""The whole app called without sockets, beside a bare ASGI app that parses and answers with a canned card."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from benchmarks import bodies
from benchmarks.measure import Report, Row, drifted, interleaved
from benchmarks.subjects import PATH, AsgiApp, engine, floor_app, request, service_app, signature

TOGETHER = 16
_ISSUER, _PUBLIC = "https://ehr.example.org", "https://cds.example.org"
_SIGNED_AHEAD = 4000


def run(report: Report) -> None:
    """CPU of one HTTP call with the durable record, without and with tokens."""
    body = bodies.body("60KB")
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner() as runner,
        engine(Path(folder)) as built,
    ):
        app = service_app(built)
        status, answer = runner.run(request(app, body))
        if status != 200 or not signature(answer):  # noqa: PLR2004
            raise AssertionError("the app did not answer with a card")
        with _signed_callers(Path(folder)) as signed:
            cases = {
                "floor: bare ASGI + orjson.loads + canned card": _case(runner, floor_app, body),
                "service with durable record": _case(runner, app, body),
                **{
                    f"service with record and {name} token": _case(runner, each, body, tokens)
                    for name, (each, tokens) in signed.items()
                },
                "floor again": _case(runner, floor_app, body),
            }
            figures = interleaved(cases, per_call=TOGETHER)
    floor = figures["floor: bare ASGI + orjson.loads + canned card"]
    if drifted(floor, figures["floor again"]):
        report.invalid("in-process HTTP: the floor moved by more than 15 % within the run")
    for what, figure in figures.items():
        report.add(
            Row(
                "in process, 60KB", what, figure.least, "us", figure.least / floor.least, "bare ASGI + orjson"
            )
        )


def _case(
    runner: asyncio.Runner, app: AsgiApp, body: bytes, tokens: Iterator[bytes] | None = None
) -> Callable[[], object]:
    async def together() -> None:
        headers = [[(b"authorization", next(tokens))] if tokens else None for _ in range(TOGETHER)]
        answers = await asyncio.gather(*(request(app, body, each) for each in headers))
        if any(status != 200 for status, _ in answers):  # noqa: PLR2004
            raise AssertionError(f"a call was refused: {sorted({status for status, _ in answers})}")

    return lambda: runner.run(together())


@contextmanager
def _signed_callers(folder: Path) -> Iterator[dict[str, tuple[AsgiApp, Iterator[bytes]]]]:
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "RS384": rsa.generate_private_key(65537, 2048),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
    }
    published = {"RS384": RSAAlgorithm, "ES384": ECAlgorithm}
    jwks = [
        {**published[name].to_jwk(key.public_key(), as_dict=True), "kid": name}  # type: ignore[attr-defined]
        for name, key in keys.items()
    ]
    clients = folder / "clients.json"
    clients.write_text(json.dumps({"clients": [{"id": "bench", "issuer": _ISSUER, "jwks": {"keys": jwks}}]}))
    inside = folder / "signed"
    inside.mkdir()
    with engine(inside, auth="required", clients=clients, public_url=_PUBLIC, client_rate=0) as built:
        app = service_app(built)
        yield {name: (app, _tokens(name, key)) for name, key in keys.items()}


def _tokens(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Iterator[bytes]:
    """Fresh tokens, signed before the clock runs; beyond those ahead, batches are signed as they are used."""
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": f"{_PUBLIC}{PATH}", "iat": now, "exp": now + 3000}

    def one() -> bytes:
        return (
            b"Bearer "
            + jwt.encode(
                {**claims, "jti": str(uuid.uuid4())}, key, algorithm=name, headers={"kid": name}
            ).encode()
        )

    yield from [one() for _ in range(_SIGNED_AHEAD)]
    raise AssertionError("more tokens are needed: raise _SIGNED_AHEAD")
