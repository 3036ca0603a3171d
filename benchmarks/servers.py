"""Servers under load, each a process of its own on a free port, pinned to one core."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.bodies import AS_OF

ROOT = Path(__file__).resolve().parent.parent
_WAIT_S = 60
_CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        return sum(_ticks(pid) for pid in _tree(self.pid)) / _CLOCK

    def resident_bytes(self) -> int:
        """Resident memory of the process and its children."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in _tree(self.pid))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(
    command: Sequence[str],
    port: int,
    path: str = "/",
    *,
    cores: str = "0",
    env: dict[str, str] | None = None,
    cwd: Path = ROOT,
) -> Iterator[Running]:
    """Run a server on the given cores until the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    pinned = ["taskset", "--cpu-list", cores, *command] if shutil.which("taskset") else list(command)
    process = subprocess.Popen(
        pinned, cwd=cwd, env={**clean, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(process, f"http://127.0.0.1:{port}{path}")
        yield Running(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not come up")


def floor_command(port: int) -> list[str]:
    """Bare uvicorn: parse with orjson, answer with a canned card."""
    return [
        *(sys.executable, "-m", "uvicorn", "benchmarks.subjects:floor_app", "--port", str(port)),
        *("--log-level", "warning", "--no-access-log", "--no-server-header", "--lifespan", "off"),
    ]


def service_command(port: int, workers: int = 1) -> list[str]:
    """The service as it is shipped."""
    return [
        *(sys.executable, "-m", "cds_service", "serve", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers)),
    ]


def service_env(folder: Path, **more: str) -> dict[str, str]:
    return {
        "CDS_AS_OF": AS_OF.isoformat(),
        "CDS_RULE_MODES": '{"*":"live"}',
        "CDS_STORE_URL": f"sqlite:///{folder / 'load.sqlite'}",
        # One load client asks more often than any EHR.
        "CDS_CLIENT_RATE": "0",
        **more,
    }


def nginx_command(folder: Path, port: int) -> list[str] | None:
    """An nginx that discards the body and answers 200: what a connection costs at the least."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return None
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_max_body_size 10m; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""
    )
    return [program, "-c", str(configuration), "-p", str(folder)]
