"""What visitors do: from the start page to card, trace and trend; changing a value; copying a line."""

import pytest
from browser_checks import accessible

pytestmark = pytest.mark.browser


def follow(tab, link):
    """As somebody without a mouse does."""
    link.focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def test_three_clicks_from_the_start_to_card_trace_and_trend(opened):
    with opened(1280) as tab:
        tab.goto("/")
        follow(tab, tab.get_by_role("link", name="Sign warfarin for Kalliope Wundtest"))
        assert tab.locator(".card.critical").count() == 1
        assert "Critical" in tab.locator(".card.critical .card-head").inner_text()
        assert tab.get_by_role("heading", name="Why", exact=True).is_visible()
        assert tab.locator(".rule .badge.fires").count() >= 1
        follow(tab, tab.get_by_role("link", name="Trend of this patient"))
        assert "/trend?patient=hd-calciphylaxis" in tab.url
        assert tab.locator("h1").count() == 1


def test_an_edited_value_shows_what_it_changed(opened):
    with opened(1280) as tab:
        tab.goto("/playground?case=vka-dialysis-new-start")
        tab.get_by_label("Phosphate mg/dL", exact=True).fill("9.9")
        follow(tab, tab.get_by_role("button", name="Evaluate again"))
        changed = tab.get_by_role("region", name="What your change did").inner_text()
        assert "Phosphate: 6.4 mg/dL, 2026-11-12 → 9.9 mg/dL, 2026-11-12" in changed
        assert "The card no longer says: Ca x P 62.7 mg2/dL2" in changed
        assert "The card now says: Ca x P 97.0 mg2/dL2" in changed
        assert tab.get_by_label("Phosphate mg/dL", exact=True).input_value() == "9.9"
        assert accessible(tab) == []


def test_copy_button_copies_the_line_it_stands_beside(browser, site):
    context = browser.new_context(base_url=site.base, permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto("/playground?case=vka-dialysis-new-start")
    line = tab.locator("#curl").input_value()
    tab.get_by_role("button", name="Copy curl").press("Enter")
    tab.wait_for_function("() => document.querySelector('button.copy').textContent.startsWith('Copied')")
    assert tab.evaluate("() => navigator.clipboard.readText()") == line
    context.close()


def test_everything_works_without_script(browser, site):
    context = browser.new_context(base_url=site.base, java_script_enabled=False)
    tab = context.new_page()
    tab.goto("/playground")
    tab.locator("#q").fill("binder")
    tab.get_by_role("button", name="Find cases").click()
    tab.get_by_role("link", name="calcium-load-calcium-high").click()
    assert tab.locator(".card.warning").count() == 1
    assert not tab.get_by_role("button", name="Copy").is_visible()
    context.close()


def test_printed_page_has_the_cards_and_no_controls(opened):
    with opened(1280) as tab:
        tab.goto("/playground?case=vka-dialysis-new-start")
        tab.emulate_media(media="print")
        assert tab.locator(".card").first.is_visible()
        assert not tab.get_by_role("button", name="Evaluate again").is_visible()
        assert not tab.get_by_role("navigation", name="Pages").is_visible()
