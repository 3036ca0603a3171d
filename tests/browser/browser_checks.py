"""What is asked of a page in the browser."""

from dataclasses import dataclass

import pytest

AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_TABBABLE = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(each => each.checkVisibility() && !each.disabled)"""
_NAME = "each => each.tagName + ' ' + (each.id || each.textContent.trim().slice(0, 40))"


@dataclass(frozen=True)
class Walk:
    """A walk through a page with the Tab key."""

    missed: list[str]
    unmarked: list[str]


def accessible(tab):
    """Violations that axe finds: rule and the elements it names."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOTHING WAS CHECKED: axe is not installed"
    )
    found = axe.Axe().run(tab, options={"runOnly": {"type": "tag", "values": list(AXE_TAGS)}})
    return [
        f"{each['id']}: {', '.join(str(node['target']) for node in each['nodes'][:3])}"
        for each in found.response["violations"]
    ]


def open_folds(tab):
    """Open every fold, so that what it hides is checked as well."""
    tab.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true })")


def overflowing(tab):
    """Elements that stick out of the window, when the page as a whole can be scrolled sideways."""
    return tab.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll('body *')]
            .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map(each => each.tagName + '.' + each.className)"""
    )


def keyboard_walk(tab):
    """Press Tab until everything that can have the focus had it."""
    wanted = tab.evaluate(f"() => ({_TABBABLE})().length")
    tab.evaluate(f"() => {{ window.__wanted = new Set(({_TABBABLE})()); window.__unmarked = [] }}")
    # A date field takes several presses: one for each of its parts.
    dates = tab.locator("input[type=date]").count()
    for _ in range(wanted + 4 * dates + 2):
        tab.keyboard.press("Tab")
        left = tab.evaluate(
            f"""() => {{
                const each = document.activeElement;
                if (each === document.body) return window.__wanted.size;
                window.__wanted.delete(each);
                const style = getComputedStyle(each);
                if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2)
                    window.__unmarked.push(({_NAME})(each));
                return window.__wanted.size;
            }}"""
        )
        if left == 0:
            break
    return Walk(
        tab.evaluate(f"() => [...window.__wanted].map({_NAME})"), tab.evaluate("() => window.__unmarked")
    )
