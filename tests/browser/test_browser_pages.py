"""Each page in a real browser, wide and narrow: policy, keyboard, accessibility, no overflow; pictures are kept."""

import pytest
from browser_checks import AXE_TAGS, accessible, keyboard_walk, open_folds, overflowing
from page_table import PAGES, SCREENSHOTS, WIDTHS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_stands_is_accessible_and_asks_nobody_else(opened, page, width):
    with opened(width) as tab:
        answer = tab.goto(page.path)
        policy = answer.headers["content-security-policy"]
        assert answer.status == page.status
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert tab.locator("h1").all_inner_texts() == [page.heading]
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=SCREENSHOTS / f"{page.name}-{width}.png", full_page=True)
        assert overflowing(tab) == [], "a reader would have to scroll sideways"
        open_folds(tab)
        assert overflowing(tab) == [], "a reader would have to scroll sideways"
        assert accessible(tab) == [], f"axe: {', '.join(AXE_TAGS)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_can_be_walked_by_keyboard_alone(opened, page):
    with opened(1280) as tab:
        tab.goto(page.path)
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Skip to content"
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"
        tab.goto(page.path)
        walk = keyboard_walk(tab)
        assert walk.missed == [], "cannot be reached with Tab"
        assert walk.unmarked == [], "nothing shows that it has the focus"
