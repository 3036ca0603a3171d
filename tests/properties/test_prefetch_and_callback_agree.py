"""The same record, sent along or read from the EHR's FHIR server, gives the same cards."""

import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_charts import PATIENT, drawn
from property_desk import SERVICES, encoded

from cds_service.protocol.prefetch import fill

sys.path.append(str(Path(__file__).parents[1] / "fhir"))
from fake_fhir import FakeFhir, by_query, raw, status


@pytest.fixture(scope="module")
def ehr():
    server = FakeFhir()
    yield server
    server.close()


def serve(ehr, call, unreadable=()):
    """What the call sent as prefetch, as an EHR has it that is asked with the published queries."""
    templates = SERVICES[call.service].prefetch
    keys = {unquote(fill(template, {"patientId": PATIENT})): template.key for template in templates}

    def answer(path):
        key = keys.get(unquote(path).removeprefix("/fhir/"))
        if key is None or key not in call.request["prefetch"]:
            return status(404)
        return status(403) if key in unreadable else raw(encoded(call.request["prefetch"][key]))

    ehr.on("", by_query(answer))


def called_back(ehr, call, keys):
    """The call without the prefetch of these keys, and with the server that has it."""
    changed = call.copy()
    for key in keys:
        changed.request["prefetch"].pop(key, None)
    if not changed.request["prefetch"]:
        changed.request.pop("prefetch")
    changed.request["fhirServer"] = ehr.base
    changed.request["fhirAuthorization"] = {
        "access_token": "t0k3n",
        "token_type": "Bearer",
        "expires_in": 300,
    }
    return changed


@given(call=drawn(likely=True))
def test_no_prefetch_at_all(desk, ehr, call):
    serve(ehr, call)
    before = desk.ask(call)
    after = desk.ask(called_back(ehr, call, list(call.request["prefetch"])), fhir_base=ehr.base)
    assert after.results() == before.results()
    assert after.whole() == before.whole()


@given(call=drawn(), data=st.data())
def test_part_of_the_prefetch(desk, ehr, call, data):
    serve(ehr, call)
    keys = data.draw(st.sets(st.sampled_from(sorted(call.request["prefetch"])), min_size=1))
    before = desk.ask(call)
    after = desk.ask(called_back(ehr, call, keys), fhir_base=ehr.base)
    assert after.results() == before.results()
    assert after.whole() == before.whole()


@given(call=drawn(likely=True), data=st.data())
def test_refused_read_is_as_a_prefetched_refusal(desk, ehr, call, data):
    """403 of the server and the OperationOutcome that a client sends in its place."""
    keys = data.draw(
        st.sets(st.sampled_from(sorted(set(call.request["prefetch"]) - {"conditions"})), min_size=1)
    )
    serve(ehr, call, keys)
    refused = call.copy()
    for key in keys:
        issue = {"severity": "error", "code": "forbidden"}
        refused.request["prefetch"][key] = {"resourceType": "OperationOutcome", "issue": [issue]}
    before = desk.ask(refused)
    after = desk.ask(called_back(ehr, call, list(call.request["prefetch"])), fhir_base=ehr.base)
    assert after.results() == before.results()
    assert after.whole() == before.whole()
