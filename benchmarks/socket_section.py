"""The service over sockets beside bare uvicorn and nginx: CPU per request, latency, two workers."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from benchmarks import bodies
from benchmarks.load import Load, available, load
from benchmarks.measure import Report, Row, at_least, at_most
from benchmarks.servers import floor_command, free_port, nginx_command, served, service_command, service_env
from benchmarks.subjects import PATH, answered, engine, signature

_ROUNDS = 3
_MANY = 16
_TOKENS = 6000
_WORKERS_WAIT_S = 20
_ISSUER, _PUBLIC = "https://ehr.example.org", "https://cds.example.org"
_BASE = "bare uvicorn + orjson"


def run(report: Report) -> None:
    """Rows over sockets; without wrk the section is left out, and says so."""
    if not available():
        report.invalid("sockets: wrk is not installed, the section did not run")
        return
    body = bodies.body("60KB")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        floor = _floor(folder, body)
        _row(report, f"floor: {_BASE} + canned card", floor, floor)
        service = _service(folder, body)
        _row(
            report,
            "service with durable record",
            service,
            floor,
            **at_most(service.cpu_us / floor.cpu_us, 1.0),
        )
        for algorithm, bar in (("RS384", 1.2), ("ES384", 2.3)):
            signed = _service(folder, body, algorithm)
            what = f"service with record and {algorithm} token"
            _row(report, what, signed, floor, **at_most(signed.cpu_us / floor.cpu_us, bar))
        _against_nginx(report, folder, body, service)
        _spread(report, folder, body)
        _two_workers(report, folder, body)
        last = _floor(folder, body)
        if not 1 / 1.15 <= last.cpu_us / floor.cpu_us <= 1.15:  # noqa: PLR2004
            report.invalid("sockets: the floor moved by more than 15 % within the run")


def _row(report: Report, what: str, measured: Load, floor: Load, **bar: Any) -> None:
    ratio = measured.cpu_us / floor.cpu_us
    report.add(
        Row("sockets, 60KB, c=16", f"{what}: CPU per request", measured.cpu_us, "us", ratio, _BASE, **bar)
    )
    report.add(Row("sockets, 60KB, c=16", f"{what}: calls per second", measured.per_second, "1/s"))
    report.add(
        Row("sockets, 60KB, c=16", f"{what}: p50 / p99", measured.p50_ms, f"ms / {measured.p99_ms:.2f} ms")
    )


def _middle(runs: Sequence[Load]) -> Load:
    return sorted(runs, key=lambda each: each.cpu_us)[len(runs) // 2]


def _floor(folder: Path, body: bytes) -> Load:
    port = free_port()
    with served(floor_command(port), port, PATH) as server:
        return _middle([load(server, body, folder, connections=_MANY) for _ in range(_ROUNDS)])


def _service(folder: Path, body: bytes, algorithm: str = "") -> Load:
    port = free_port()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        env = service_env(Path(own))
        tokens: list[str] = []
        if algorithm:
            clients, tokens = _signed(algorithm, Path(own))
            env |= {"CDS_AUTH": "required", "CDS_CLIENTS": str(clients), "CDS_PUBLIC_URL": _PUBLIC}
        with served(service_command(port), port, "/health", env=env) as server:
            _same_cards(server.url, body, tokens)
            load(server, body, folder, connections=_MANY, seconds=1, tokens=tokens, warming=True)
            return _middle(
                [load(server, body, folder, connections=_MANY, tokens=tokens) for _ in range(_ROUNDS)]
            )


def _same_cards(url: str, body: bytes, tokens: list[str]) -> None:
    headers = {"Authorization": f"Bearer {tokens.pop()}"} if tokens else {}
    answer = requests.post(url + PATH, data=body, headers=headers, timeout=30)
    with engine() as built:
        if signature(answer.content) != signature(answered(built, body)):
            raise AssertionError("not the cards that the engine alone answers with")


def _signed(algorithm: str, folder: Path) -> tuple[Path, list[str]]:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    key = (
        rsa.generate_private_key(65537, 2048)
        if algorithm == "RS384"
        else ec.generate_private_key(ec.SECP384R1())
    )
    kind: Callable[..., dict[str, object]] = (RSAAlgorithm if algorithm == "RS384" else ECAlgorithm).to_jwk
    jwk = {**kind(key.public_key(), as_dict=True), "kid": "bench"}
    clients = folder / "clients.json"
    clients.write_text(json.dumps({"clients": [{"id": "bench", "issuer": _ISSUER, "jwks": {"keys": [jwk]}}]}))
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": f"{_PUBLIC}{PATH}", "iat": now, "exp": now + 3000}
    tokens = [
        jwt.encode({**claims, "jti": str(uuid.uuid4())}, key, algorithm=algorithm, headers={"kid": "bench"})
        for _ in range(_TOKENS)
    ]
    return clients, tokens


def _against_nginx(report: Report, folder: Path, body: bytes, service: Load) -> None:
    port = free_port()
    command = nginx_command(folder, port)
    if command is None:
        report.invalid("sockets: nginx is not installed, its row did not run")
        return
    with served(command, port) as server:
        nginx = _middle([load(server, body, folder, connections=_MANY) for _ in range(_ROUNDS)])
    times = nginx.per_second / service.per_second
    report.add(
        Row(
            "sockets, 60KB, c=16",
            "nginx that discards the body: calls per second",
            nginx.per_second,
            "1/s",
            times,
            "the service",
            **at_most(times, 15),
        )
    )


def _spread(report: Report, folder: Path, body: bytes) -> None:
    """p99 over p50 at one connection."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        served(service_command(port), port, "/health", env=service_env(Path(own))) as server,
    ):
        load(server, body, folder, connections=1, seconds=1, warming=True)
        runs = [load(server, body, folder, connections=1) for _ in range(_ROUNDS)]
    spread = statistics.median(each.p99_ms / each.p50_ms for each in runs)
    report.add(
        Row("sockets, 60KB, c=1", "p99 / p50", spread, "times", spread, "itself", **at_most(spread, 3))
    )


def _two_workers(report: Report, folder: Path, body: bytes) -> None:
    """Two workers on two cores against one, in turn; the load shares the cores, in both cases alike."""
    best = {1: 0.0, 2: 0.0}
    for _ in range(_ROUNDS):
        for workers, before in best.items():
            best[workers] = max(before, _rate(folder, body, workers))
    gain = best[2] / best[1]
    report.add(Row("sockets, 60KB, c=16", "one worker on two cores: calls per second", best[1], "1/s"))
    what = "two workers on two cores: calls per second"
    bar = at_least(gain, 1.85)
    report.add(Row("sockets, 60KB, c=16", what, best[2], "1/s", gain, "one worker", **bar))


def _rate(folder: Path, body: bytes, workers: int) -> float:
    port = free_port()
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        served(
            service_command(port, workers), port, "/health", cores="0,1", env=service_env(Path(own))
        ) as server,
    ):
        _await_workers(server.url, workers)
        load(server, body, folder, connections=_MANY, seconds=1, cores="0,1", warming=True)
        return load(server, body, folder, connections=_MANY, cores="0,1").per_second


def _await_workers(url: str, number: int) -> None:
    """Until each of them answers: who is not there yet gets none of the connections, which stay where they are."""
    seen: set[str] = set()
    until = time.monotonic() + _WORKERS_WAIT_S
    while len(seen) < number:
        if time.monotonic() > until:
            raise RuntimeError(f"{len(seen)} of {number} workers answered")
        # When a worker took its configuration is in effect its name; every request is a connection of its own.
        told = requests.get(f"{url}/metrics", timeout=5).text
        seen |= set(re.findall(r"^cds_configured_timestamp_seconds (\S+)", told, re.MULTILINE))
