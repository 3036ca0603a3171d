"""Every check is told on the twin that breaks it, and nothing else is."""

import pytest
from twins import BROKEN

from cds_service.conform import CHECKS, Verdict


def told(report):
    return {result.id for result in report.results if result.verdict in (Verdict.FAIL, Verdict.WARN)}


@pytest.mark.parametrize("auth", [False, True])
def test_a_correct_service_has_nothing_to_be_told(judge, auth):
    report = judge(auth=auth)
    assert told(report) == set()
    assert report.exit_code == 0


def test_a_correct_service_gives_every_check_something_to_judge(judge):
    """But for TLS and for what a service should not send at all: those have twins of their own."""
    skipped = [{r.id for r in judge(auth=auth).of(Verdict.SKIP)} for auth in (False, True)]
    assert skipped[0] & skipped[1] == {"C001-https", "C074-action-selection"}


def test_every_check_has_a_twin():
    assert set(BROKEN) == {check.id for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_is_told_on_its_twin_and_on_no_other_ground(judge, check):
    broken = BROKEN[check.id]
    report = judge(options=broken.options, **broken.twin)
    assert told(report) == {check.id, *broken.also}
    result = next(result for result in report.results if result.id == check.id)
    assert result.verdict is (Verdict.FAIL if check.fatal else Verdict.WARN)
    assert result.evidence
    assert (report.exit_code == 0) is not bool(report.failures)
