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
from benchmarks.measure import Figure, Report, Row, drifted, interleaved
from benchmarks.subjects import PATH, AsgiApp, answered, engine, floor_app, request, service_app, signature

TOGETHER = 16
FLOOR, AGAIN, ALONE, RECORDED = (
    "floor: bare ASGI + orjson.loads + canned card",
    "floor again",
    "service without record",
    "service with durable record",
)
_ISSUER, _PUBLIC = "https://ehr.example.org", "https://cds.example.org"
_SIGNED_AHEAD = 4000
_ALGORITHMS = ("RS384", "ES256", "ES384")
_OK = 200


def run(report: Report) -> None:
    """CPU of one HTTP call: without and with the durable record, and with tokens; then what record and tokens add."""
    body = bodies.body("60KB")
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner() as runner,
        engine() as unrecorded,
        engine(Path(folder)) as recorded,
        _signed_callers(Path(folder)) as signed,
    ):
        alone, app = service_app(unrecorded), service_app(recorded)
        expected = signature(answered(unrecorded, body))
        cases = {
            FLOOR: calls_of(runner, floor_app, body),
            ALONE: calls_of(runner, alone, body, expected),
            RECORDED: calls_of(runner, app, body, expected),
            **{
                f"service with record and {name} token": calls_of(runner, each, body, expected, tokens)
                for name, (each, tokens) in signed.items()
            },
            AGAIN: calls_of(runner, floor_app, body),
        }
        figures = interleaved(cases, per_call=TOGETHER)
        one_caller = _one_caller(runner, alone, app, body)
    floor = figures[FLOOR]
    if drifted(floor, figures[AGAIN]):
        report.invalid("in-process HTTP: the floor moved by more than 15 % within the run")
    for what, figure in figures.items():
        report.add(
            Row(
                "in process, 60KB", what, figure.least, "us", figure.least / floor.least, "bare ASGI + orjson"
            )
        )
    _added(report, "record", f"durable record, {TOGETHER} callers", figures[RECORDED], figures[ALONE], floor)
    report.add(Row("record", "durable record, 1 caller: adds", one_caller, "us"))
    for name in _ALGORITHMS:
        with_token = figures[f"service with record and {name} token"]
        _added(report, "tokens", f"{name}: verified, replay remembered", with_token, figures[RECORDED], floor)


def _added(report: Report, section: str, what: str, more: Figure, less: Figure, floor: Figure) -> None:
    added = more.least - less.least
    report.add(Row(section, f"{what}: adds", added, "us", added / floor.least, "bare ASGI + orjson"))


def _one_caller(runner: asyncio.Runner, alone: AsgiApp, app: AsgiApp, body: bytes) -> float:
    """Microseconds that the record adds when nobody shares its commit."""
    cases = {
        name: calls_of(runner, each, body, together=1) for name, each in ((ALONE, alone), (RECORDED, app))
    }
    figures = interleaved(cases, rounds=3)
    return figures[RECORDED].least - figures[ALONE].least


def calls_of(
    runner: asyncio.Runner,
    app: AsgiApp,
    body: bytes,
    expected: list[object] | None = None,
    tokens: Iterator[bytes] | None = None,
    together: int = TOGETHER,
) -> Callable[[], object]:
    """Some calls at once. Raises AssertionError if one is refused, or if the cards are not the expected ones."""

    async def calls() -> bytes:
        headers = [[(b"authorization", next(tokens))] if tokens else None for _ in range(together)]
        answers = await asyncio.gather(*(request(app, body, each) for each in headers))
        if any(status != _OK for status, _ in answers):
            raise AssertionError(f"a call was refused: {sorted({status for status, _ in answers})}")
        return answers[0][1]

    if expected is not None and signature(runner.run(calls())) != expected:
        raise AssertionError("not the cards that the engine alone answers with")
    return lambda: runner.run(calls())


@contextmanager
def _signed_callers(folder: Path) -> Iterator[dict[str, tuple[AsgiApp, Iterator[bytes]]]]:
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "RS384": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
    }
    published = {"RS384": RSAAlgorithm, "ES256": ECAlgorithm, "ES384": ECAlgorithm}
    jwks = [
        {**published[name].to_jwk(key.public_key(), as_dict=True), "kid": name}  # type: ignore[attr-defined]
        for name, key in keys.items()
    ]
    clients = folder / "clients.json"
    allowed = {"id": "bench", "issuer": _ISSUER, "algorithms": list(keys), "jwks": {"keys": jwks}}
    clients.write_text(json.dumps({"clients": [allowed]}))
    inside = folder / "signed"
    inside.mkdir()
    with engine(inside, auth="required", clients=clients, public_url=_PUBLIC, client_rate=0) as built:
        app = service_app(built)
        yield {name: (app, _tokens(name, key)) for name, key in keys.items()}


def _tokens(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Iterator[bytes]:
    """Fresh tokens, signed before the clock runs."""
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": f"{_PUBLIC}{PATH}", "iat": now, "exp": now + 3000}

    def one() -> bytes:
        signed = jwt.encode({**claims, "jti": str(uuid.uuid4())}, key, algorithm=name, headers={"kid": name})
        return b"Bearer " + signed.encode()

    yield from [one() for _ in range(_SIGNED_AHEAD)]
    raise AssertionError("more tokens are needed: raise _SIGNED_AHEAD")
