"""Load the synthetic patients into a FHIR server.

python scripts/load_fixtures.py http://127.0.0.1:8080/fhir
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import requests

PATIENTS = Path(__file__).resolve().parent.parent / "fixtures" / "patients"
REQUEST_TIMEOUT_S = 60
PAUSE_S = 1.0
HEADERS = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


def wait_until_ready(session: requests.Session, base: str, seconds: float) -> bool:
    """Ask for the server's metadata until it answers; False if it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if session.get(f"{base}/metadata", timeout=REQUEST_TIMEOUT_S).ok:
                return True
        except (requests.ConnectionError, requests.Timeout):
            pass
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_S)


def load(session: requests.Session, base: str, path: Path) -> tuple[bool, str]:
    """Post one transaction Bundle; whether it was stored, and a line to print."""
    try:
        body = path.read_bytes()
        bundle: Any = json.loads(body)
    except (OSError, ValueError) as error:
        return False, f"cannot be read: {error}"
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return False, "is not a Bundle"
    if bundle.get("type") != "transaction":
        return False, f"is a Bundle of type {bundle.get('type')!r}, not a transaction"
    try:
        response = session.post(base, data=body, timeout=REQUEST_TIMEOUT_S)
    except requests.RequestException as error:
        return False, f"could not be sent: {error}"
    if not response.ok:
        return False, f"was refused with status {response.status_code}: {reason(response)}"
    return True, f"{len(bundle.get('entry', []))} resources stored"


def reason(response: requests.Response) -> str:
    """The server's own explanation, if it sent an OperationOutcome, else the start of what it sent."""
    try:
        issues = response.json()["issue"]
        return "; ".join(issue.get("diagnostics") or issue.get("code", "?") for issue in issues)
    except (ValueError, KeyError, TypeError, AttributeError):
        return response.text[:200]


def main() -> int:
    """Load every Bundle and say how it went; the exit status."""
    parser = argparse.ArgumentParser(description="Load the synthetic patients into a FHIR server.")
    parser.add_argument("base", help="FHIR base URL, such as http://127.0.0.1:8080/fhir")
    parser.add_argument("--from", dest="folder", type=Path, default=PATIENTS, help="folder of Bundle files")
    parser.add_argument(
        "--wait", type=float, default=120, help="seconds to wait for the server (default 120)"
    )
    options = parser.parse_args()
    base = options.base.rstrip("/")

    paths = sorted(options.folder.glob("*.json"))
    if not paths:
        print(f"No Bundle files in {options.folder}", file=sys.stderr)
        return 1
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(HEADERS)
        if not wait_until_ready(session, base, options.wait):
            print(f"No FHIR server answered at {base} within {options.wait:g} s", file=sys.stderr)
            return 1
        failures = 0
        for path in paths:
            stored, message = load(session, base, path)
            failures += not stored
            print(f"{'ok  ' if stored else 'FAIL'} {path.stem}: {message}")
    print(f"{len(paths) - failures} of {len(paths)} patients loaded into {base}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
