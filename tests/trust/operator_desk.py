"""Commands as an operator types them, several in one process of their own, so that start-up is paid once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment_of(folder: Path, **settings: str) -> dict[str, str]:
    """Settings of a process of its own, with a database in `folder`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return plain | {"CDS_STORE_URL": f"sqlite:///{folder / 'records.sqlite'}", **settings}


def commands(*wanted: tuple[list[str], dict[str, str]]) -> list[tuple[int, str]]:
    """Exit status and everything said, for each (arguments, environment) of `cds-service`."""
    done = subprocess.run(
        [sys.executable, __file__],
        cwd=ROOT,
        env=environment_of(Path()) | {"PYTHONPATH": str(ROOT)},
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [tuple(each) for each in json.loads(done.stdout)]


def _run(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    from cds_service.__main__ import main  # noqa: PLC0415 - imported once, before the first fork

    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv = ["cds-service", *arguments]
            status = 70
            try:
                main()
                status = 0
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
                if isinstance(ended.code, str):
                    sys.stdout.write(ended.code)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read().decode()


if __name__ == "__main__":
    sys.stdout.write(json.dumps([_run(*each) for each in json.load(sys.stdin)]))
