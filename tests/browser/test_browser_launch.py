"""An EHR opens the trend page in a real browser, and somebody follows a fire on the governance page."""

import pytest
from browser_checks import accessible
from page_table import SCREENSHOTS
from support.smart_ehr import LAUNCH, Ehr, launch_service

pytestmark = pytest.mark.browser


def test_launch_from_the_ehr_ends_on_the_trend_page(browser, tmp_path):
    ehr = Ehr()
    ehr.manner.app_context = '{"rule": "vka-dialysis", "card": "1f0c"}'
    complaints = []
    with launch_service(ehr, tmp_path) as service:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(f"{service.base}/trend/launch?iss={ehr.base}&launch={LAUNCH}")
        assert tab.url.startswith(f"{service.base}/trend/callback?")
        assert tab.locator("h1").inner_text() == "Calcium, phosphate, Ca x P and PTH over one year"
        assert "Vitamin K antagonist on dialysis" in tab.locator(".note").first.inner_text()
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=SCREENSHOTS / "trend-launched-1280.png", full_page=True)
        assert accessible(tab) == []
        tab.get_by_role("link", name="Show in mmol/L").press("Enter")
        assert tab.locator("#si").is_visible()
        assert not tab.locator("#conventional").is_visible()
        assert context.cookies() == []
        context.close()
    ehr.close()
    assert complaints == []


def test_a_fire_can_be_followed_to_its_explanation(opened):
    for width in (1280, 390):
        with opened(width) as tab:
            tab.goto("/governance")
            # Other tests make real calls, whose rows come first.
            tab.locator("a[href*='/governance/fires?rule=vka-dialysis&client=simulated']").first.press(
                "Enter"
            )
            tab.locator("tbody a").first.press("Enter")
            tab.wait_for_url("**/governance/call?id=*")
            assert tab.locator("h1").inner_text() == "One call on record"
            assert tab.get_by_text("Simulated.", exact=True).is_visible()
            tab.screenshot(path=SCREENSHOTS / f"governance-call-{width}.png", full_page=True)
            assert accessible(tab) == []


def test_filters_of_the_governance_page_work_by_keyboard(opened):
    with opened(1280) as tab:
        tab.goto("/governance")
        tab.get_by_label("Rule", exact=True).select_option("vka-dialysis")
        tab.get_by_role("button", name="Show").press("Enter")
        tab.wait_for_url("**/governance?*rule=vka-dialysis*")
        assert set(tab.locator(".figures tbody tr:not(.group) th").all_inner_texts()) == {
            "vka-dialysis 1.0.0"
        }
