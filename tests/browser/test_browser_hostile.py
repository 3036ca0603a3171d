"""Data that want to be more than data: tags, Markdown links, endless text. They stay text on every page."""

import json
from urllib.parse import quote

import pytest
from browser_checks import accessible, open_folds, overflowing
from page_table import PAGES
from support.casefiles import request_of

pytestmark = pytest.mark.browser

MARK = "hostile7f3"
PAYLOADS = {
    "tags": f"<script>alert('{MARK}')</script><img src=//evil.example/{MARK}.png onerror=alert(1)><b>{MARK}</b>",
    "markdown": f"[{MARK}](javascript:alert(1)) ![{MARK}](http://evil.example/x.png) [a](http://evil.example) **b**",
    "quotes": f"\"'></textarea></pre><script>alert('{MARK}')</script>{{{{ 7 * 7 }}}} {MARK}",
    "endless": MARK + "x" * 10_000,
}
WORDS = ("display", "text", "family", "unit", "title", "comment", "given")


def hostile(value, payload, key=""):
    """The document with the payload in every field that holds words."""
    if isinstance(value, dict):
        return {name: hostile(item, payload, name) for name, item in value.items()}
    if isinstance(value, list):
        return [hostile(item, payload, key) for item in value]
    return payload if isinstance(value, str) and key in WORDS else value


def with_words(request):
    """The request with words beside every code, so that there are fields to fill."""
    for concept in _concepts(request):
        concept["text"] = "words"
    return request


def _concepts(value):
    if isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            yield value
        for item in value.values():
            yield from _concepts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _concepts(item)


def inert(tab):
    assert tab.locator("main img, main b, main iframe").count() == 0
    assert tab.locator("script:not([src='/copy.js'])").count() == 0
    assert tab.locator("a[href*='evil'], a[href^='javascript']").count() == 0
    assert "49" not in tab.locator("body").inner_text().partition(MARK)[0][-10:], "a template ran"


@pytest.mark.parametrize(
    ("client", "width"), [("generic", 1280), ("generic", 390), ("plain", 390), ("epic", 1280)]
)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_pasted_request_full_of_it_is_shown_as_text(opened, payload, client, width):
    document = hostile(with_words(request_of("vka-dialysis-new-start")), PAYLOADS[payload])
    with opened(width) as tab:
        tab.goto("/playground")
        tab.locator("#pasted").fill(json.dumps(document))
        tab.locator("#pasted-client").select_option(client)
        with tab.expect_navigation():
            tab.locator("form[aria-labelledby=paste] button").press("Enter")
        assert tab.locator("h1").inner_text() == "Pasted request"
        assert tab.locator(".card").count() >= 1, "the codes still say warfarin"
        open_folds(tab)
        assert MARK in tab.locator("main").inner_text()
        inert(tab)
        assert overflowing(tab) == []
        assert accessible(tab) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_page_comes_alive_after_a_real_call_and_feedback_full_of_it(opened, site, payload):
    document = hostile(with_words(request_of("vka-dialysis-new-start")), PAYLOADS[payload])
    document["prefetch"][PAYLOADS[payload]] = document["prefetch"].pop("labs")
    document["context"]["userId"] = PAYLOADS[payload]
    (card, *_) = site.cards(document)
    reason = {"code": PAYLOADS[payload][:100], "system": PAYLOADS[payload], "display": PAYLOADS[payload]}
    feedback = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {"reason": reason, "userComment": PAYLOADS[payload]},
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
    }
    answer = site.post("/cds-services/calciphylaxis-order-sign/feedback", {"feedback": [feedback]})
    assert answer.status_code == 200
    with opened(390) as tab:
        for page in PAGES:
            tab.goto(page.path)
            open_folds(tab)
            inert(tab)
            assert overflowing(tab) == [], page.path


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "place", ["/playground?q=", "/playground?case=", "/rules?code=", "/setup?client=", "/rules/"]
)
def test_words_in_an_address_stay_words(opened, place, payload):
    with opened(390) as tab:
        tab.goto(place + quote(PAYLOADS[payload][:2000], safe=""))
        inert(tab)
        assert overflowing(tab) == []
