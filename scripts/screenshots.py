"""Makes the pictures of `docs/images/` from the running demo: `scripts/screenshots.py [folder]`.

Needs Chromium and Playwright (requirements-ci.lock).
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 200_000
"""Bytes of a picture in the repository."""

FILLED = "simulated calls"
"""The demo prints it when its governance page has something to show."""

PATIENCE_S = 300


@dataclass(frozen=True)
class Shot:
    """A picture: its name, the page, the size of the window, and what to do before it is taken."""

    name: str
    path: str
    width: int = 1100
    height: int = 760
    fill: tuple[tuple[str, str], ...] = ()
    """Label -> value, filled in and sent with the form's last button."""
    scroll_to: str = ""
    """CSS selector of what must be at the top."""


CASE = "/playground?case=vka-dialysis-new-start"
SHOTS = (
    Shot("start", "/", height=700),
    Shot("card", CASE, height=860),
    Shot("trace", CASE, height=760, scroll_to="#trace"),
    Shot("what-if", CASE, height=620, fill=(("Phosphate mg/dL", "3.9"),)),
    Shot("rule", "/rules/vka-dialysis", height=760),
    Shot("code", "/rules?code=855332", height=560),
    Shot("setup", "/setup?client=epic", height=760),
    Shot("trend", "/trend?patient=hd-year", height=900, scroll_to="#calcium-conventional-heading"),
    Shot("governance", "/governance", width=1280, height=860, scroll_to="form"),
    Shot("card-narrow", CASE, width=390, height=844),
)


def main(folder: Path) -> int:
    """Take every picture; returns how many are too large."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is not installed (Debian: apt install chromium)", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo() as base, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        large = sum([take(browser, base, shot, folder / f"{shot.name}.png") for shot in SHOTS])
        browser.close()
    return large


@contextmanager
def running_demo() -> Iterator[str]:
    """The demo on a free port, once all its pages have something to show."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cds_service", "demo", "--port", str(port)]
    demo = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    stop = threading.Timer(PATIENCE_S, demo.kill)
    stop.start()
    try:
        if demo.stdout is None or not any(FILLED in line for line in demo.stdout):
            raise SystemExit("the demo ended before its pages were filled")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.cancel()
        demo.terminate()
        demo.wait()


def take(browser: Any, base: str, shot: Shot, path: Path) -> bool:
    """Take one picture; True when it is too large to be kept."""
    size = {"width": shot.width, "height": shot.height}
    page: Page = browser.new_page(viewport=size, base_url=base, locale="en-GB")
    # The first chart loads a chart library, which takes a busy machine its time.
    page.set_default_timeout(PATIENCE_S * 1000)
    answer = page.goto(shot.path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{shot.path} cannot be opened")
    for label, value in shot.fill:
        page.get_by_label(label, exact=True).fill(value)
    if shot.fill:
        page.get_by_role("button", name="Evaluate again").click()
        page.wait_for_load_state()
    if shot.scroll_to:
        page.locator(shot.scroll_to).evaluate("each => each.scrollIntoView()")
    page.screenshot(path=path)
    page.close()
    written = path.stat().st_size
    print(f"{path.name:20} {written / 1000:6.0f} kB{'  TOO LARGE' if written > LARGEST else ''}")
    return written > LARGEST


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
