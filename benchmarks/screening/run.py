"""Screening against a bare `orjson` loop over the same files. One command; needs `orjson` beside the project.

    .venv/bin/python benchmarks/screening/run.py [--patients 10000] [--members 0.2] [--folder DIR] [--rounds 3]

Floor: one process that only parses every line and keeps the latest of the common laboratory results, the
conditions and the orders of each patient; it applies no rule. Ours: `screen_shard` over the same files, all
rules, results written to disk. Each measurement is a process of its own; CPU seconds count its children.
Bars: floor / ours >= 1.5 in CPU seconds with one process; wall with one / wall with two >= 1.7; memory < 1 GB.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from cds_service.engine import build_engine
from cds_service.population.judge import judging
from cds_service.population.run import run
from cds_service.population.screen import PATIENTS, screen_shard
from cds_service.population.synthetic.generate import Plan, cpu_count, generate
from cds_service.population.workers import workers
from cds_service.settings import load_settings

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)
SEED = 7
LATEST = frozenset(
    [
        "17861-6",
        "2000-8",
        "49765-1",
        "2777-1",
        "14879-1",
        "48641-5",
        "1751-7",
        "61152-5",
        "2731-8",
        "14866-8",
        "6768-6",
    ]
)


def floor(folder: Path, _: Path) -> dict[str, float]:
    """What any program must at least do: parse every line, keep the latest results."""
    latest: dict[tuple[str, str], tuple[str, object]] = {}
    conditions: dict[str, list[object]] = {}
    orders: dict[str, list[object]] = {}
    for path in sorted(folder.glob("*.*.ndjson")):
        with path.open("rb") as stream:
            for line in stream:
                document = orjson.loads(line)
                kind = document["resourceType"]
                if kind == "Observation":
                    for coding in document["code"].get("coding", ()):
                        code = coding.get("code")
                        if code in LATEST:
                            key = document["subject"]["reference"], code
                            when = document.get("effectiveDateTime") or ""
                            if key not in latest or latest[key][0] < when:
                                latest[key] = when, document.get("valueQuantity")
                elif kind == "Condition":
                    conditions.setdefault(document["subject"]["reference"], []).append(document["code"])
                elif kind == "MedicationRequest":
                    named = document.get("medicationCodeableConcept")
                    orders.setdefault(document["subject"]["reference"], []).append(named)
    return {"found": len(latest)}


def ours(folder: Path, out: Path, processes: int) -> dict[str, float]:
    """`cds-service screen` without its report."""
    # As the command does once its modules are imported.
    gc.freeze()
    engine = build_engine(load_settings(), store=None)
    how = judging(engine, engine.anonymous, AS_OF)
    with workers(processes, None) as at_work:
        run(folder, out, how, screen_shard, at_work, target=PATIENTS, members_only=True)
    lines = (out / PATIENTS).read_bytes().splitlines()
    return {"found": sum(b'"member":"yes"' in line for line in lines)}


WORK = {
    "floor": floor,
    "ours-1": lambda folder, out: ours(folder, out, 1),
    "ours-2": lambda folder, out: ours(folder, out, 2),
}


def child(name: str, folder: Path) -> None:
    """One measurement, printed as JSON."""
    out = Path(tempfile.mkdtemp(prefix="cds-bench-"))
    # The modules are loaded by now, for the floor as well: importing counts for nobody.
    before, begun = cpu_seconds(), time.perf_counter()
    try:
        found = WORK[name](folder, out)
    finally:
        shutil.rmtree(out)
    wall, cpu = time.perf_counter() - begun, cpu_seconds() - before
    print(
        json.dumps({**found, "wall": wall, "cpu": cpu, "mb": max(item.ru_maxrss for item in usage()) / 1024})
    )


def usage() -> list[resource.struct_rusage]:
    """Of this process and of its children."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def cpu_seconds() -> float:
    return sum(item.ru_utime + item.ru_stime for item in usage())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--patients", type=int, default=10_000)
    options.add_argument("--members", type=float, help="share of patients on dialysis")
    options.add_argument("--folder", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--child")
    chosen = options.parse_args()
    if chosen.child:
        child(chosen.child, chosen.folder)
        return
    named = f"cds-bench-{chosen.patients}-{SEED}" + (
        f"-{chosen.members}" if chosen.members is not None else ""
    )
    folder = chosen.folder or Path(tempfile.gettempdir()) / named
    if not (folder / "manifest.json").exists():
        plan = Plan(chosen.patients, SEED, AS_OF, folder, members=chosen.members)
        generate(plan, processes=cpu_count())
    size = sum(path.stat().st_size for path in folder.glob("*.*.ndjson")) / 1e6
    best: dict[str, dict[str, float]] = {}
    for _ in range(chosen.rounds):
        # Interleaved, so that a busy machine treats all alike.
        for name in WORK:
            command = [sys.executable, __file__, "--child", name, "--folder", str(folder)]
            row = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            before = best.get(name, row)
            best[name] = {key: min(row[key], before[key]) for key in row}
    print(f"{size:,.0f} MB, {platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}")
    for name, row in best.items():
        print(
            f"{name:8} cpu {row['cpu']:7.2f} s  wall {row['wall']:7.2f} s  {size / row['cpu']:6.0f} MB/s  {row['mb']:5.0f} MB"
        )
    ratios = {
        "cpu: floor / ours with one process (bar 1.5)": best["floor"]["cpu"] / best["ours-1"]["cpu"],
        "wall: one process / two (bar 1.7)": best["ours-1"]["wall"] / best["ours-2"]["wall"],
    }
    for name, value in ratios.items():
        print(f"{name}: {value:.2f}")
    print(json.dumps({"best": best, "ratios": ratios, "mb": size}))


if __name__ == "__main__":
    main()
