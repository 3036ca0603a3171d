"""No page may be forgotten: whatever address answers with HTML has a row in the table. Needs no browser."""

import re

from page_table import PAGES

from cds_service.app import create_app
from cds_service.web.pages import NAVIGATION

NOT_PAGES = re.compile(
    r"\.(css|js|svg|json|csv)$|^/(cds-services|explain|health|ready|metrics)|/callback$|/launch$"
)


def test_every_address_with_a_page_is_visited(site):
    routes = {
        route.path
        for route in create_app(site.engine).routes
        if "GET" in route.methods and not NOT_PAGES.search(route.path)
    }
    assert "/playground" in routes
    visited = [page.path.partition("?")[0] for page in PAGES]
    patterns = {path: re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)) for path in routes}
    forgotten = [path for path, p in patterns.items() if not any(p.fullmatch(each) for each in visited)]
    assert forgotten == []


def test_every_entry_of_the_navigation_is_visited(site):
    visited = {page.path.partition("?")[0] for page in PAGES}
    offered = re.findall(r'<li><a href="([^"]+)"', site.get("/").text)
    assert set(offered) <= {path for path, _ in NAVIGATION}
    assert set(offered) <= visited


def test_names_are_unique_because_they_name_pictures():
    names = [page.name for page in PAGES]
    assert len(names) == len(set(names))
