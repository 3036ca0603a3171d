"""The page in docs/ says what the code says. Run as a script it writes the page."""

import pytest
from proofs import NAMED, ROOT, proofs

from cds_service.conform.checklist import NOT_APPLICABLE, NOT_SENT, ROWS
from cds_service.conform.checks import CHECKS
from cds_service.conform.page import conformance_page, open_rows

PAGE = ROOT / "docs" / "conformance.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == conformance_page(proofs()), f"run {__file__} to write the page"


@pytest.mark.parametrize("test", sorted({test for tests in NAMED.values() for test in tests}))
def test_a_test_that_is_named_exists(test):
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_no_row_is_open():
    assert open_rows(proofs()) == []


def test_rows_and_checks_fit_together():
    numbers = [row.number for row in ROWS]
    assert numbers == list(range(1, 91))
    assert {row for check in CHECKS for row in check.rows} <= set(numbers)
    assert not set(NOT_APPLICABLE) & set(NOT_SENT)


if __name__ == "__main__":
    PAGE.write_text(conformance_page(proofs()), encoding="utf-8")
