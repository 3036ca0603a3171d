"""The full service beside other frameworks with one small rule, over sockets, in the same run.

They do far less: one rule, no unit, status or identity checks, no record. The ratio is theirs over ours.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks import bodies
from benchmarks.load import Load, available, load
from benchmarks.measure import Report, Row, at_least
from benchmarks.servers import ROOT, free_port, served, service_command, service_env
from benchmarks.subjects import PATH

_INSTALLED = ROOT / "var" / "bench"
_PEERS = ROOT / "benchmarks" / "peers"
_CONNECTIONS = 4
_ROUNDS = 3


@dataclass(frozen=True)
class Peer:
    """A framework with the small rule."""

    name: str
    path: str
    command: Callable[[int], list[str]]
    cwd: Path
    needs: Path
    bar: float
    """Their CPU per request over ours is to be at least this."""


def _uvicorn(python: str | Path, app: str) -> Callable[[int], list[str]]:
    return lambda port: [
        *(str(python), "-m", "uvicorn", app, "--port", str(port)),
        *("--log-level", "critical", "--no-access-log"),
    ]


_HEALTHCHAIN = _INSTALLED / "healthchain" / "bin" / "python"
PEERS = (
    Peer(
        "naive: pydantic and fhir.resources",
        PATH,
        _uvicorn(sys.executable, "benchmarks.peers.naive_app:app"),
        ROOT,
        ROOT,
        40,
    ),
    Peer(
        "HealthChain, rule on dicts",
        "/cds/cds-services/dicts",
        _uvicorn(_HEALTHCHAIN, "healthchain_app:app"),
        _PEERS,
        _HEALTHCHAIN,
        4,
    ),
    Peer(
        "HealthChain, its model conversion",
        "/cds/cds-services/models",
        _uvicorn(_HEALTHCHAIN, "healthchain_app:app"),
        _PEERS,
        _HEALTHCHAIN,
        25,
    ),
    Peer(
        "Express",
        PATH,
        lambda port: ["node", "server.js", str(port)],
        _INSTALLED / "express",
        _INSTALLED / "express" / "node_modules",
        1,
    ),
)


def run(report: Report) -> None:
    """One row a peer; one that is not installed makes the run invalid, so that no table looks complete without it."""
    if not available():
        report.invalid("peers: wrk is not installed, the section did not run")
        return
    body = bodies.for_peers()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ours = _ours(folder, body)
        report.add(Row("peers, 60KB, c=4", "this service, all rules, durable record", ours.cpu_us, "us"))
        for peer in PEERS:
            if not peer.needs.exists() or shutil.which(peer.command(0)[0]) is None:
                report.invalid(f"peers: {peer.name} is not installed (make bench-peers)")
                continue
            theirs = _theirs(peer, folder, body)
            times = theirs.cpu_us / ours.cpu_us
            report.add(
                Row(
                    "peers, 60KB, c=4",
                    peer.name,
                    theirs.cpu_us,
                    "us",
                    times,
                    "this service",
                    **at_least(times, peer.bar),
                )
            )


def _ours(folder: Path, body: bytes) -> Load:
    port = free_port()
    with served(service_command(port), port, "/health", env=service_env(folder)) as server:
        return _loaded(
            server.url + PATH,
            lambda seconds: load(server, body, folder, connections=_CONNECTIONS, seconds=seconds),
            body,
        )


def _theirs(peer: Peer, folder: Path, body: bytes) -> Load:
    port = free_port()
    with served(peer.command(port), port, cwd=peer.cwd, env={"PYTHONPATH": str(ROOT)}) as server:
        return _loaded(
            server.url + peer.path,
            lambda seconds: load(
                server, body, folder, connections=_CONNECTIONS, seconds=seconds, path=peer.path
            ),
            body,
        )


def _loaded(url: str, drive: Callable[[int], Load], body: bytes) -> Load:
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    if answer.status_code != requests.codes.ok or len(answer.json()["cards"]) != 1:
        raise AssertionError(f"{url}: not the one card that is compared")
    drive(1)
    runs = sorted((drive(4) for _ in range(_ROUNDS)), key=lambda each: each.cpu_us)
    return runs[len(runs) // 2]
