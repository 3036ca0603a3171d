"""What STU3 and R5 shape differently stands, after decoding, where R4 has it."""

import json

import pytest

from cds_service.fhir.decode import CodeableConcept, decode_resource
from cds_service.fhir.source import take_apart
from cds_service.protocol.prefetch import PrefetchTemplate

REQUESTS = PrefetchTemplate("requests", "ServiceRequest?patient={{context.patientId}}", "ServiceRequest")


def decoded(**members):
    dropped = []
    resource = decode_resource(json.dumps(members).encode(), "$", dropped)
    assert dropped == []
    return resource


WORDS = CodeableConcept([], "in words")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ({"text": "in words"}, WORDS),
        ({"concept": {"text": "in words"}}, WORDS),
        ({"reference": {"reference": "ActivityDefinition/1", "display": "in words"}}, WORDS),
        ({"concept": {"text": "in words"}, "reference": {"display": "other words"}}, WORDS),
    ],
    ids=["R4", "R5-concept", "R5-reference", "R5-both"],
)
def test_code_of_a_request(code, found):
    assert decoded(resourceType="ServiceRequest", code=code).code == found


@pytest.mark.parametrize(
    "reason",
    [
        [{"text": "in words"}],
        {"text": "in words"},
        [{"concept": {"text": "in words"}}],
        [{"use": [{"text": "billing"}], "value": [{"concept": {"text": "in words"}}]}],
    ],
    ids=["STU3", "object", "R5", "R5-encounter"],
)
def test_reason(reason):
    assert decoded(resourceType="Encounter", reason=reason).reasonCode == [WORDS]
    both = decoded(resourceType="Encounter", reason=reason, reasonCode=[{"text": "the R4 one"}])
    assert both.reasonCode == [CodeableConcept([], "the R4 one")]


def test_remark_on_a_result():
    assert decoded(resourceType="Observation", comment="after dialysis").note[0].text == "after dialysis"
    noted = decoded(resourceType="Observation", comment="x", note=[{"text": "y"}])
    assert [note.text for note in noted.note] == ["y"]


def test_procedure_that_was_not_done():
    assert decoded(resourceType="Procedure", status="completed", notDone=True).status == "not-done"
    assert decoded(resourceType="Procedure", status="completed", notDone=False).status == "completed"


def test_a_procedure_request_answers_for_service_requests():
    asked = REQUESTS.for_version("STU3")
    assert (asked.query, asked.resource_type) == (
        "ProcedureRequest?patient={{context.patientId}}",
        "ServiceRequest",
    )
    assert REQUESTS.for_version("R5") is REQUESTS
    link = [{"relation": "self", "url": "https://ehr.example/fhir/ProcedureRequest?patient=1"}]
    bundle = decoded(
        resourceType="Bundle",
        link=link,
        entry=[{"resource": {"resourceType": "ProcedureRequest", "id": "1"}}],
    )
    value = take_apart(bundle)
    assert (value.answers, [found.resourceType for found in value.resources]) == (
        "ServiceRequest",
        ["ServiceRequest"],
    )
    assert (
        take_apart(decoded(resourceType="ProcedureRequest", id="1")).resources[0].resourceType
        == "ServiceRequest"
    )
