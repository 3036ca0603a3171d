"""Services found through entry points: refused when they cannot be used together; errors by status."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from cds_service import errors, registry
from cds_service.registry import RegistryError, load_services, ready_services
from hooks.rules.vka_dialysis import RULE
from hooks.services import ORDER_SIGN, SERVICES

PLANTED = ORDER_SIGN
NO_EVIDENCE = replace(
    ORDER_SIGN,
    id="no-evidence",
    rules=(replace(ORDER_SIGN.rules[0], rule=replace(RULE, evidence=())),),
)
ONE = replace(ORDER_SIGN, id="another-hospital")


@pytest.fixture
def installed(monkeypatch):
    """Declare services as an add-on package does, beside ours."""

    def install(*names):
        points = [EntryPoint(name, f"{__name__}:{name}", registry.GROUP) for name in names]
        monkeypatch.setattr(registry, "entry_points", lambda **_: points)
        load_services.cache_clear()

    yield install
    load_services.cache_clear()


def test_our_own_services_are_found_like_anybodys():
    assert {service.id for service in SERVICES} <= {service.id for service in load_services()}
    ready = ready_services()["calciphylaxis-order-sign"]
    assert ready.distribution.startswith("calciphylaxis-cds ")
    assert ready.normaliser.terminology is ready.terminology


def test_services_of_one_content_share_one_index():
    ready = ready_services()
    assert len({id(each.terminology) for each in ready.values()}) == 1


def test_a_package_may_declare_one_service_or_several(installed):
    installed("ONE", "SERVICES")
    found = load_services()
    assert [service.id for service in found] == ["another-hospital", *(service.id for service in SERVICES)]
    assert ready_services()["another-hospital"].distribution == f"{__name__}:ONE"


def test_value_sets_that_are_switched_off_are_not_in_the_index(installed):
    installed("ONE")
    off = ready_services(frozenset({"warfarin"}))["another-hospital"]
    assert off.terminology.identify([], ["warfarin"]).basis == "none"


def test_two_services_with_one_id_are_refused(installed):
    installed("PLANTED", "SERVICES")
    with pytest.raises(RegistryError, match="calciphylaxis-order-sign is declared by"):
        load_services()


def test_a_rule_without_evidence_is_refused(installed):
    installed("NO_EVIDENCE")
    with pytest.raises(RegistryError, match="rule vka-dialysis names no evidence"):
        load_services()


@pytest.mark.parametrize(
    ("error", "status", "issue"),
    [
        (errors.BadRequest, 400, "invalid"),
        (errors.ForeignPatient, 400, "security"),
        (errors.UnknownService, 404, "not-found"),
        (errors.MethodNotAllowed, 405, "not-supported"),
        (errors.NothingAssessable, 412, "required"),
        (errors.BodyTooLarge, 413, "too-long"),
        (errors.UnsupportedEncoding, 415, "not-supported"),
        (errors.InternalError, 500, "exception"),
        (errors.Unavailable, 503, "transient"),
    ],
)
def test_every_error_has_a_status_a_code_and_an_issue_type(error, status, issue):
    raised = error("why")
    assert isinstance(raised, errors.CdsError)
    assert (raised.status, raised.issue, raised.message, str(raised)) == (status, issue, "why", "why")
    assert raised.code.startswith(f"CDS-0{str(status)[:2]}")
