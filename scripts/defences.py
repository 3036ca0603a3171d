"""Switch off each defence of docs/trust.md, one by one, in a copy of the tree, and ask its tests to notice.

    .venv/bin/python scripts/defences.py [--processes 2] [ROW ...]

Each change of `tests/trust/switches.py` is made alone, the tests of its row are run, and at least one must fail.
Exit status 1: a defence can be taken away unnoticed, a change no longer fits the source, or the tests of a row do
not pass even with all defences in place.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "trust"))

from switches import SWITCHES, Switch  # noqa: E402
from trust_proofs import proofs  # noqa: E402

LIMIT_S = 240
PASSED, FAILED = 0, 1


def copy_of_the_tree(folder: Path) -> Path:
    """All files of the project, as they are now, without what git ignores."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, names.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    # By hash: a change within the same second must not meet the bytecode of the file before it.
    for package in ("cds_service", "hooks"):
        compileall.compile_dir(
            folder / package, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
        )
    return folder


def run_tests(tree: Path, tests: Sequence[str], *options: str) -> tuple[int, list[str]]:
    """Exit status of pytest and the tests that failed; -1 and its last words when there is no verdict."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    environment |= {"PYTHONPATH": str(tree), "CDS_TEST_EXAMPLES": "10"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "-rf",
        "-p",
        "no:cacheprovider",
        *options,
        *tests,
    ]
    limit = LIMIT_S + len(tests)
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, [f"stopped after {limit} s"]
    failed = [
        line.removeprefix("FAILED ").split(" - ")[0]
        for line in done.stdout.splitlines()
        if line.startswith("FAILED ")
    ]
    if failed or done.returncode == PASSED:
        return done.returncode, failed
    # A test that fails says something; a tree that cannot be imported does not.
    return -1, (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]


@contextmanager
def switched_off(tree: Path, switch: Switch) -> Iterator[bool]:
    """The tree without this defence; False if a change does not fit."""
    before: dict[Path, str] = {}
    fits = True
    for file, old, new in switch.changes:
        path = tree / file
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        fits = fits and source.count(old) == 1
        if fits:
            before.setdefault(path, source)
            path.write_text(source.replace(old, new), encoding="utf-8")
    try:
        yield fits
    finally:
        for path, source in before.items():
            path.write_text(source, encoding="utf-8")


def judge(tree: Path, switch: Switch, tests: Sequence[str]) -> tuple[bool, str]:
    """Whether taking the defence away is noticed, and by what."""
    if not tests:
        return False, "no test has this number"
    with switched_off(tree, switch) as fits:
        if not fits:
            return False, "a text to be changed no longer stands there exactly once"
        status, said = run_tests(tree, tests, "-x")
    if status == FAILED:
        return True, said[0]
    return False, "UNNOTICED: every test passes without it" if status == PASSED else f"no verdict: {said}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help="T1, F12, ... (all without any)")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    chosen = [each for each in SWITCHES if not options.rows or each.row in options.rows]
    tests, begun = proofs(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="defences-") as folder:
        trees: Queue[Path] = Queue()
        for number in range(options.processes):
            trees.put(copy_of_the_tree(Path(folder) / str(number)))
        wanted = sorted({test for each in chosen for test in tests.get(each.row, ())})
        status, broken = run_tests(Path(folder) / "0", wanted)
        if status not in (PASSED, FAILED):
            print(f"The tests cannot be run: {broken}")
            return 1
        print(f"{len(wanted)} tests with every defence in place: {time.monotonic() - begun:.0f} s.")
        for test in broken:
            print(f"fails with every defence in place, so it proves nothing: {test}")
        useless = {test.partition("[")[0] for test in broken}
        tests = {row: [test for test in its if test not in useless] for row, its in tests.items()}

        def work(switch: Switch) -> tuple[Switch, bool, str]:
            tree = trees.get()
            try:
                return (switch, *judge(tree, switch, tests.get(switch.row, ())))
            finally:
                trees.put(tree)

        unnoticed = 0
        with ThreadPoolExecutor(options.processes) as pool:
            for switch, noticed, said in pool.map(work, chosen):
                unnoticed += not noticed
                print(
                    f"{switch.row:>3}  {'ok ' if noticed else 'NOT'}  {switch.defence:<50}  {said}",
                    flush=True,
                )
    print(f"\n{len(chosen) - unnoticed} of {len(chosen)} defences are missed when they are gone, ", end="")
    print(f"{time.monotonic() - begun:.0f} s.")
    return 1 if unnoticed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
