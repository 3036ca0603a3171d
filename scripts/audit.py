"""Ask a vulnerability service about every locked library: pip-audit, with an honest answer when nobody was asked.

    .venv/bin/python scripts/audit.py        exit 0: none is known; 1: some are; 3: the service could not be reached

pip-audit by itself passes a library that its service does not know, which behind some mirrors is every one.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements-ci.lock"
# The package index tells what it knows; if it is silent, the open source vulnerabilities database is asked.
SERVICES = ("pypi", "osv")
NONE, SOME, NOBODY = 0, 1, 3


def ask(service: str) -> tuple[list[str], list[str], list[str]]:
    """Libraries that were judged, those that were not, and lines about what was found."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes", "--disable-pip"]
    done = subprocess.run(
        [*command, "--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        libraries = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        return [], [], [f"{service}: {last[0][:200]}"]
    judged = [one["name"] for one in libraries if "skip_reason" not in one]
    skipped = [one["name"] for one in libraries if "skip_reason" in one]
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'nothing yet'}"
        for one in libraries
        for flaw in one.get("vulns", ())
    ]
    return judged, skipped, found


def main() -> int:
    for service in SERVICES:
        judged, skipped, found = ask(service)
        if not judged:
            print(
                f"NOT AUDITED by {service}: {found[0] if found else f'it knows none of {len(skipped)} libraries'}"
            )
            continue
        print(
            f"{service}: {len(judged)} libraries judged, {len(skipped)} unknown to it, {len(found)} findings"
        )
        for line in found:
            print(f"  {line}")
        for name in skipped:
            print(f"  not judged: {name}")
        return SOME if found or skipped else NONE
    print("NOTHING WAS AUDITED: no vulnerability service could be reached.")
    return NOBODY


if __name__ == "__main__":
    sys.exit(main())
