"""Run bandit over what runs at a site; a finding passes only where the code answers it in writing.

    .venv/bin/python scripts/bandit_answers.py

The answer stands on the finding's own line, as ruff's `noqa` of the same check with a reason after it:
`# noqa: S608 - names are those of our own schema`. (Ruff has bandit's checks under S instead of B.)
Notices on a mere import (B404, B405) are left out: the use of what was imported is judged.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JUDGED = ("cds_service", "hooks", "scripts/first_start.py", "scripts/load_fixtures.py")
ONLY_IMPORTS = "B404,B405"


def answer(finding: dict[str, object]) -> str | None:
    """The reason that the code gives at the place of the finding."""
    lines = (ROOT / str(finding["filename"])).read_text(encoding="utf-8").splitlines()
    span = [int(number) for number in finding["line_range"]]  # type: ignore[attr-defined]
    check = str(finding["test_id"]).replace("B", "S", 1)
    # Also the line before, where a sentence of its own may stand.
    for number in range(min(span), max(span) + 1):
        found = re.search(rf"# noqa: [\w, ]*\b{check}\b[\w, ]*(?P<reason>.*)", lines[number - 1])
        if found is None:
            continue
        reason = found["reason"].strip(" -#")
        above = lines[number - 2].strip()
        return reason or (above.lstrip("# ") if above.startswith("#") else None)
    return None


def main() -> int:
    command = [
        sys.executable,
        "-m",
        "bandit",
        "--quiet",
        "--format",
        "json",
        "--skip",
        ONLY_IMPORTS,
        "--recursive",
    ]
    done = subprocess.run([*command, *JUDGED], cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    for broken in report["errors"]:
        print(f"not read: {broken}")
    open_ones = 0
    for finding in report["results"]:
        said = answer(finding)
        open_ones += said is None
        place = f"{finding['filename']}:{finding['line_number']}"
        print(
            f"{'NO ANSWER' if said is None else 'answered '}  {finding['test_id']}  {place}  {said or finding['issue_text']}"
        )
    print(f"{len(report['results'])} findings, {open_ones} without an answer.")
    return 1 if open_ones or report["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
