"""The pages a developer opens first: they stand, hold what they promise, and run no script."""

from __future__ import annotations

import pytest
import requests

from cds_service.registry import load_services

PAGES = ["/", "/docs", "/evidence"]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_served_under_a_strict_policy(live, path):
    answer = requests.get(f"{live.base}{path}", timeout=5)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert "No clinician has signed this content yet" in answer.text


def test_evidence_page_holds_every_citation_and_background_statement(live):
    page = requests.get(f"{live.base}/evidence", timeout=5).text
    content = load_services()[0].content
    for citation in content.citations:
        assert f'id="{citation.key}"' in page
    assert page.count("<tr><td>") >= len(content.background)


def test_api_page_lists_every_operation_and_openapi_offers_no_422(live):
    page = requests.get(f"{live.base}/docs", timeout=5).text
    document = requests.get(f"{live.base}/openapi.json", timeout=5).json()
    for path, operations in document["paths"].items():
        assert path in page
        assert all("422" not in operation["responses"] for operation in operations.values())
