"""A real browser on the real service. Without Playwright or Chromium the tests skip and say what is missing."""

import asyncio
import shutil
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from support.casefiles import FIXTURES
from support.live import live_service

from cds_service.content.cases import read_cases
from cds_service.simulation import simulate


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A service of its own, so that what other tests sent does not show on its pages, with a simulated fortnight."""
    with live_service(tmp_path_factory.mktemp("site")) as service:
        # In a thread of its own: the driver of the browser keeps an event loop in this one.
        filling = threading.Thread(target=_fill, args=(service.engine,))
        filling.start()
        filling.join()
        yield service


def _fill(engine):
    cases = list(read_cases(FIXTURES / "cases").by_stem.values())
    assert asyncio.run(simulate(engine, engine.store, cases, datetime.now(UTC), calls=6)) > 0


# Not for the whole session: its driver keeps an event loop in this thread, and the tests that follow need their own.
@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api",
        reason="NO PAGE WAS LOOKED AT: Playwright is not installed (requirements-ci.lock)",
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("NO PAGE WAS LOOKED AT: Chromium is not installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, site):
    """`with opened(width) as tab`: a tab that may reach our host only, and whose every complaint fails the test."""

    @contextmanager
    def open_tab(width):
        complaints = []
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=site.base)
        context.route("**/*", lambda route: _only_ours(route, site.base, complaints))
        # The first chart loads a chart library, which takes a busy machine its time.
        context.set_default_timeout(120_000)
        tab = context.new_page()
        tab.on("console", lambda message: _console(message, complaints))
        tab.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        tab.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))
        yield tab
        context.close()
        assert complaints == []

    return open_tab


def _only_ours(route, base, complaints):
    if urlsplit(route.request.url).netloc == urlsplit(base).netloc:
        route.continue_()
    else:
        complaints.append(f"request to another host: {route.request.url}")
        route.abort()


def _console(message, complaints):
    # Chromium itself logs an error status of the page that was asked for.
    if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
        complaints.append(f"console: {message.text}")
