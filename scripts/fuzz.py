"""Answer very many changed calls in this process and say what broke.

    .venv/bin/python scripts/fuzz.py --bodies 20000 --seed 1 --processes 2

Every case and every odd body of `fixtures/` is changed at random (`tests/fuzz/fuzz_mutations.py`) and given to the
pipeline; the answer must keep the promises of `tests/fuzz/fuzz_judge.py`. Body number n of a seed is the same on
every machine and with any number of processes: `--only n` runs it alone. Exit status 1 if any broke a promise.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import logging
import random
import sys
import time
import traceback
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "fuzz"))

from fuzz_bodies import SECRET, bodies
from fuzz_judge import Judge
from fuzz_mutations import FOREIGN, mutant

REPORTED = 20
CHUNK = 500


class Lines(logging.Handler):
    """Keeps nothing of a log but whether it held what it must not."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.leaks = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.look(f"{record.getMessage()} {record.exc_info}")

    def event(self, _logger: object, _name: str, event: object) -> str:
        self.look(repr(event))
        raise structlog.DropEvent

    def look(self, text: str) -> None:
        self.leaks += SECRET in text or FOREIGN in text


def run(job: tuple[int, int, int]) -> tuple[collections.Counter[str], list[str], float]:
    """Bodies `first` to `last` of a seed: how each kind ended, what broke, and the longest time."""
    seed, first, last = job
    lines = Lines()
    logging.getLogger().addHandler(lines)
    structlog.configure(processors=[lines.event])
    judge, ended, broken, longest = Judge(), collections.Counter[str](), [], 0.0
    corpus = bodies()
    # As the service does: what is made at the start never dies, and looking at it again takes time.
    gc.collect()
    gc.freeze()

    async def all_of_them() -> float:
        slowest = longest
        for number in range(first, last):
            draw = random.Random(f"{seed}/{number}")
            body = draw.choice(corpus)
            kind, sent = mutant(draw, body)
            leaks = lines.leaks
            try:
                answered = await judge.check(body, kind, sent)
                if lines.leaks > leaks:
                    raise AssertionError("a secret is in the log")  # noqa: TRY301 - counted like any other
            except Exception as error:  # noqa: BLE001 - whatever it is, it would have been a 500
                ended[f"{kind} BROKEN"] += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                broken.append(
                    f"{number} {kind} {body.name}: {type(error).__name__} {error} ({Path(where.filename).name}:{where.lineno})"
                )
                continue
            ended[f"{kind} {answered.status}"] += 1
            slowest = max(slowest, answered.seconds)
        return slowest

    longest = asyncio.run(all_of_them())
    judge.close()
    logging.getLogger().removeHandler(lines)
    return ended, broken, longest


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, help="one body, by its number")
    options = parser.parse_args(arguments)
    first, last = (0, options.bodies) if options.only is None else (options.only, options.only + 1)
    begun = time.monotonic()
    size = max(CHUNK, -(-(last - first) // (options.processes * 20)))
    jobs = [(options.seed, start, min(start + size, last)) for start in range(first, last, size)]
    ended: collections.Counter[str] = collections.Counter()
    broken: list[str] = []
    longest = 0.0
    with get_context("spawn").Pool(min(options.processes, len(jobs))) as pool:
        for counted, bad, slowest in pool.imap_unordered(run, jobs):
            ended += counted
            broken += bad
            longest = max(longest, slowest)
            if sys.stderr.isatty():
                print(
                    f"\r{ended.total():,} of {last - first:,}, {len(broken)} broken", end="", file=sys.stderr
                )
    seconds = time.monotonic() - begun
    for name, number in sorted(ended.items()):
        print(f"{number:>10,}  {name}")
    for each in sorted(broken, key=lambda line: int(line.split()[0]))[:REPORTED]:
        print(each)
    print(
        f"{ended.total():,} bodies, seed {options.seed}, from {len(bodies())} calls: {len(broken)} broke a promise; "
        f"longest answer {longest * 1000:.0f} ms; {seconds:.0f} s with {options.processes} processes"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
