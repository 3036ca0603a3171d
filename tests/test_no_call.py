"""No order of interest, no FHIR call: the EHR's server hears nothing at all."""

import pytest
from support.casefiles import CASES, read_case, request_of
from support.fhir_server import fake, fill, forget
from support.live import live_service

WITHOUT_INTEREST = [
    path.stem
    for path in CASES
    if path.stem.startswith(("look-alike-", "stop-order-"))
    or path.stem
    in {
        "calcium-load-parenteral",
        "calcium-load-polystyrene",
        "calcium-load-sevelamer",
        "shape-no-orders",
        "shape-order-without-drug",
        "v19-do-not-perform",
        "v22-topical-calcitriol",
        "vka-calciphylaxis-phytonadione",
        "vka-dialysis-apixaban",
    }
]


@pytest.fixture(scope="module")
def server():
    running = fake.FakeFhir()
    yield running
    running.close()


@pytest.fixture(scope="module")
def service(server, tmp_path_factory):
    with live_service(tmp_path_factory.mktemp("quiet"), fhir_bases=(server.base,)) as running:
        yield running


@pytest.fixture
def ehr(server):
    forget(server)
    fill(server, request_of("vka-dialysis-new-start")["prefetch"])
    return server


@pytest.mark.parametrize("name", WITHOUT_INTEREST)
def test_order_of_no_interest(service, ehr, name):
    case = read_case(name)
    document = request_of(name) | {"fhirServer": ehr.base}
    del document["prefetch"]
    assert service.cards(document, case.service) == []
    assert ehr.paths == []
    assert not ehr.connections


def test_an_order_of_interest_does_ask(service, ehr):
    document = request_of("vka-dialysis-new-start") | {"fhirServer": ehr.base}
    del document["prefetch"]
    assert len(service.cards(document)) == 1
    assert ehr.paths


def test_a_refused_call_asks_nothing(service, ehr):
    document = request_of("vka-dialysis-new-start") | {"fhirServer": ehr.base, "hook": "patient-view"}
    del document["prefetch"]
    assert service.call(document).status_code == 400
    assert ehr.paths == []


def test_complete_prefetch_asks_nothing(service, ehr):
    document = request_of("vka-dialysis-new-start") | {"fhirServer": ehr.base}
    assert len(service.cards(document)) == 1
    assert ehr.paths == []
