"""The call of an EHR: what is required, what is forgiven, and what one broken member costs."""

import json

import pytest

from cds_service.errors import BadRequest, NothingAssessable
from cds_service.protocol.request import Authorization, decode_request

CONDITION = {"resourceType": "Condition", "id": "c"}
ORDER = {"resourceType": "MedicationRequest", "id": "m", "status": "draft"}
BROKEN = {"resourceType": "MedicationRequest", "id": "b", "status": {"code": "draft"}}


def bundle(*resources):
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def body(context=None, **fields):
    context = {"patientId": "p1", "userId": "Practitioner/1", "draftOrders": bundle(ORDER)} | (context or {})
    sent = {"hook": "order-sign", "hookInstance": "d1", "context": context} | fields
    return json.dumps({name: value for name, value in sent.items() if value is not ...}).encode()


def refusal(sent):
    with pytest.raises(BadRequest) as refused:
        decode_request(sent)
    return refused.value.message


def test_a_whole_call():
    call = decode_request(
        body(
            {"encounterId": "Encounter/e1", "selections": ["MedicationRequest/m"]},
            fhirServer="https://ehr.example/fhir",
            fhirAuthorization={"access_token": "secret", "expires_in": "300", "scope": "patient/*.read"},
            prefetch={"conditions": bundle(CONDITION), "patient": None},
            extension={"anything": 1},
        )
    )
    assert (call.hook, call.hook_instance, call.patient_id) == ("order-sign", "d1", "p1")
    assert (call.user_id, call.encounter_id, call.fhir_server) == (
        "Practitioner/1",
        "e1",
        "https://ehr.example/fhir",
    )
    assert call.selections == ("MedicationRequest/m",)
    assert [entry.resource.id for entry in call.drafts.entry] == ["m"]
    assert call.prefetch["patient"] is None
    assert (call.authorization.access_token, call.dropped, call.dropped_orders) == ("secret", {}, ())


def test_a_token_is_never_printed():
    assert "secret" not in repr(Authorization(access_token="secret"))
    assert "secret" not in repr(decode_request(body(fhirAuthorization={"access_token": "secret"})))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hook": ...}, "The member 'hook' is missing."),
        ({"hook": ""}, "The member 'hook' is missing."),
        ({"hookInstance": ...}, "The member 'hookInstance' is missing."),
        ({"context": {"patientId": None}}, "The member 'context.patientId' is missing."),
        ({"context": {"patientId": ""}}, "The member 'context.patientId' is missing."),
        ({"context": {"patientId": "../p2"}}, "The member 'context.patientId' is not a FHIR id."),
        ({"context": {"patientId": "p1?_include=*"}}, "The member 'context.patientId' is not a FHIR id."),
        ({"context": {"patientId": "x" * 257}}, "The member 'context.patientId' is not a FHIR id."),
        ({"hook": 7}, "The body is JSON but not a CDS Hooks request: wrong type at `$.hook`."),
        ({"prefetch": []}, "The body is JSON but not a CDS Hooks request: wrong type at `$.prefetch`."),
        (
            {"context": {"patientId": "p1", "selections": [7]}},
            "The body is JSON but not a CDS Hooks request: wrong type.",
        ),
    ],
)
def test_a_call_that_is_wrong_is_told_where(changes, message):
    assert refusal(body(**changes)) == message


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"[]", "The body is JSON but not a CDS Hooks request: wrong type."),
        (b"null", "The body is JSON but not a CDS Hooks request: wrong type."),
        (b'{"hook": "order-sign"', "The body is not valid JSON."),
        (b'{"hook": NaN}', "The body is not valid JSON (byte 9)."),
        (b"", "The body is not valid JSON."),
        (b"\xff", "The body is not valid JSON (byte 0)."),
        (b'{"prefetch": {"a": ' + b"[" * 200_000, "The body is not valid JSON."),
        (b'\xef\xbb\xbf{"hook": "order-sign"}', "The body is not valid JSON (byte 0)."),
    ],
)
def test_F18_what_is_not_json_is_refused(sent, message):
    assert refusal(sent) == message


@pytest.mark.parametrize("name", ["p1", "Patient/p1", "a.b-C.9", "x" * 256])
def test_patient_ids_that_are_accepted(name):
    assert decode_request(body({"patientId": name})).patient_id == name.removeprefix("Patient/")


def test_a_patient_id_as_a_number():
    assert decode_request(body({"patientId": 7})).patient_id == "7"


@pytest.mark.parametrize(
    ("sent", "kept"), [(None, None), ("Encounter/e1", "e1"), (12, "12"), ("../x", None), ("", None)]
)
def test_F40_an_encounter_that_is_missing_or_unusable_is_left_out(sent, kept):
    assert decode_request(body({"encounterId": sent})).encounter_id == kept


def test_selections_that_are_missing_are_not_an_empty_list():
    assert decode_request(body()).selections is None
    assert decode_request(body({"selections": []})).selections == ()


# --- the orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "member"),
    [("order-sign", "draftOrders"), ("order-select", "draftOrders"), ("medication-refill", "medications")],
)
def test_hooks_with_orders_need_their_member(hook, member):
    context = {"draftOrders": None, "medications": None}
    assert f"'context.{member}' is missing" in refusal(body(context, hook=hook))
    call = decode_request(body({"draftOrders": None, member: bundle(ORDER)}, hook=hook))
    assert len(call.drafts.entry) == 1


@pytest.mark.parametrize("hook", ["patient-view", "encounter-discharge", "unheard-of"])
def test_hooks_without_orders_do_not(hook):
    assert decode_request(body(hook=hook)).drafts is None


def test_a_single_order_stands_for_a_bundle():
    assert [e.resource.id for e in decode_request(body({"draftOrders": ORDER})).drafts.entry] == ["m"]


def test_a_bundle_without_its_type_is_a_bundle():
    untyped = {"entry": [{"resource": ORDER}]}
    assert len(decode_request(body({"draftOrders": untyped})).drafts.entry) == 1


def test_F27_one_broken_order_costs_only_itself():
    call = decode_request(body({"draftOrders": bundle(ORDER, BROKEN)}, prefetch={"a": bundle(CONDITION)}))
    assert [entry.resource.id for entry in call.drafts.entry] == ["m"]
    assert [lost.path for lost in call.dropped_orders] == ["context.draftOrders.entry[1].resource"]
    assert call.prefetch["a"].entry[0].resource.id == "c"
    assert (call.patient_id, call.user_id) == ("p1", "Practitioner/1")


@pytest.mark.parametrize("orders", [BROKEN, [], "x", {"entry": "x", "resourceType": "Bundle"}])
def test_orders_of_which_nothing_can_be_read_are_not_assessable(orders):
    with pytest.raises(NothingAssessable) as refused:
        decode_request(body({"draftOrders": orders}))
    assert refused.value.status == 412


def test_medications_that_cannot_be_read():
    with pytest.raises(NothingAssessable):
        decode_request(body({"draftOrders": None, "medications": []}, hook="medication-refill"))


# --- prefetch -----------------------------------------------------------------------------------------


def test_F10_a_broken_prefetch_value_costs_only_itself():
    bad = {"resourceType": "Condition", "id": "b", "onsetDateTime": 7}
    call = decode_request(
        body(
            prefetch={"one": bad, "two": bundle(CONDITION, bad), "three": None, "four": CONDITION, "five": []}
        )
    )
    # A value of which nothing is left stands as an OperationOutcome: unknown, never "none".
    assert call.prefetch["one"].resourceType == "OperationOutcome"
    assert call.prefetch["five"].resourceType == "OperationOutcome"
    assert [entry.resource.id for entry in call.prefetch["two"].entry] == ["c"]
    assert call.prefetch["three"] is None
    assert call.prefetch["four"].id == "c"
    assert {key: [lost.path for lost in each] for key, each in call.dropped.items()} == {
        "one": ["prefetch[0]"],
        "two": ["prefetch[1].entry[1].resource"],
        "five": ["prefetch[4]"],
    }


@pytest.mark.parametrize("more", [{}, {"context": None}, {"prefetch": {"a": []}}])
def test_a_context_that_is_missing(more):
    sent = json.dumps({"hook": "patient-view", "hookInstance": "d"} | more).encode()
    assert refusal(sent) == "The member 'context' is missing."


def test_without_prefetch():
    assert decode_request(body(prefetch=None)).prefetch == {}
    sent = body({"draftOrders": bundle(ORDER, BROKEN)})
    assert decode_request(sent).prefetch == {}


@pytest.mark.parametrize("place", ["context", "prefetch"])
def test_F28_a_bundle_of_more_than_10000_entries_is_refused(place):
    huge = {"resourceType": "Bundle", "entry": [{}] * 10_001}
    sent = body({"draftOrders": huge}) if place == "context" else body(prefetch={"labs": huge})
    assert refusal(sent) == "A Bundle has more than 10,000 entries."
    assert decode_request(body(prefetch={"labs": {"entry": [None] * 10_000}}))
