"""From the command to the first card."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from benchmarks import bodies
from benchmarks.measure import Report, Row, at_most
from benchmarks.servers import ROOT, Running, free_port, service_command, service_env
from benchmarks.subjects import PATH

_ROUNDS = 3
_BAR_S = 1.5
_WAIT_S = 30


def run(report: Report) -> None:
    """From starting the process to the first card, the best of three (page cache warm, modules compiled)."""
    # As an installation has them; a source tree may be one in which Python is told to write no bytecode.
    subprocess.run([sys.executable, "-m", "compileall", "-q", "cds_service", "hooks"], cwd=ROOT, check=True)
    rounds = [_first_card() for _ in range(_ROUNDS)]
    seconds, cpu = (min(each) for each in zip(*rounds, strict=True))
    report.add(Row("cold start", "process start to first card: CPU of the service", cpu, "s"))
    report.add(
        Row(
            "cold start",
            "process start to first card",
            seconds,
            "s",
            seconds,
            "1 s",
            **at_most(seconds, _BAR_S),
        )
    )


def _first_card() -> tuple[float, float]:
    """Wall seconds, and CPU seconds of the service until then."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        process = subprocess.Popen(
            service_command(port),
            cwd=ROOT,
            env={**clean, **service_env(Path(folder))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while time.perf_counter() - begun < _WAIT_S:
                try:
                    answer = requests.post(
                        f"http://127.0.0.1:{port}{PATH}", data=bodies.body("10KB"), timeout=5
                    )
                except requests.ConnectionError:
                    time.sleep(0.01)
                else:
                    if not answer.json()["cards"]:
                        raise AssertionError("the first call got no card")
                    server = Running(f"http://127.0.0.1:{port}", process.pid)
                    return time.perf_counter() - begun, server.cpu_seconds()
            raise AssertionError("no card within 30 s")
        finally:
            process.terminate()
            process.wait(15)
