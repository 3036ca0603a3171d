"""Population screening beside a bare `orjson` loop: `benchmarks/screening/run.py` with few patients."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Report, Row, at_least
from benchmarks.servers import ROOT

_BARS = {"cpu": 1.5, "wall": 1.7}


def run(report: Report, patients: int) -> None:
    """CPU and wall seconds of floor, one process and two, and the ratios of their bars."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path("benchmarks", "screening", "run.py"))]
        command += ["--patients", str(patients), "--folder", str(Path(folder) / "export")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    section = f"screening, {patients:,} patients, {found['mb']:.0f} MB"
    for name, best in found["best"].items():
        unit = f"s (wall {best['wall']:.2f} s, {best['mb']:.0f} MB memory)"
        report.add(Row(section, f"{name}: CPU", best["cpu"], unit))
    for what, ratio in found["ratios"].items():
        kind = what.partition(":")[0]
        bar = at_least(ratio, _BARS[kind])
        report.add(Row(section, what.partition(" (bar")[0], ratio, "times", ratio, "", **bar))
