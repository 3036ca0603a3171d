"""Whose data are these? Every form of reference, for every kind of resource (F1)."""

import pytest
from support.facts import (
    ADULT,
    calcium,
    condition,
    encounter,
    facts,
    medicine,
    procedure,
    service_request,
)

from cds_service.errors import BadRequest, ForeignPatient
from cds_service.facts.subjects import Whose, whose
from cds_service.fhir.decode import Identifier, Reference, Resource

OURS, FOREIGN, UNCLEAR = Whose.OURS, Whose.FOREIGN, Whose.UNCLEAR
FORMS = {
    "relative": ("Patient/p1", OURS),
    "bare id": ("p1", OURS),
    "absolute": ("https://ehr.example/fhir/Patient/p1", OURS),
    "versioned": ("Patient/p1/_history/3", OURS),
    "absolute and versioned": ("https://ehr.example/fhir/Patient/p1/_history/3", OURS),
    "closing slash": ("Patient/p1/", OURS),
    "with a query": ("Patient/p1?_format=json", OURS),
    "another patient": ("Patient/p2", FOREIGN),
    "another patient, absolute": ("https://ehr.example/fhir/Patient/p2", FOREIGN),
    "another patient, versioned": ("Patient/p2/_history/1", FOREIGN),
    "our id as a prefix": ("Patient/p11", FOREIGN),
    "other letter case": ("Patient/P1", FOREIGN),
    "a group": ("Group/p1", FOREIGN),
    "a practitioner with our id": ("https://ehr.example/fhir/Practitioner/p1", FOREIGN),
    "urn": ("urn:uuid:5f5c4d2a-9d4c-4c1e-8a53-0c64c1a9a0de", UNCLEAR),
    "contained": ("#pat", UNCLEAR),
}
KINDS = {
    "conditions": condition("Z99.2"),
    "labs": calcium(9.6),
    "medications": medicine("warfarin"),
    "procedures": procedure("302497006"),
    "encounters": encounter(),
    "requests": service_request("17861-6"),
}


def known(found, key):
    if key == "labs":
        return found.labs or None
    return getattr(found, "problems" if key == "conditions" else key)


@pytest.mark.parametrize("form", FORMS)
def test_F1_each_form_of_reference(form):
    sent, expected = FORMS[form]
    assert whose(Resource(subject=Reference(reference=sent)), "p1") is expected
    assert whose(Resource(patient=Reference(reference=sent)), "p1") is expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (None, OURS),
        (Reference(), OURS),
        (Reference(type="Patient"), OURS),
        (Reference(identifier=Identifier(system="urn:mrn", value="12345")), UNCLEAR),
        (Reference(display="SMITH, Jane"), UNCLEAR),
        (Reference(reference="", display="SMITH, Jane"), UNCLEAR),
        (Reference(reference="Patient/p1", display="SMITH, Jane"), OURS),
    ],
)
def test_F1_a_subject_without_a_reference(subject, expected):
    assert whose(Resource(subject=subject), "p1") is expected


@pytest.mark.parametrize("key", KINDS)
def test_F1_another_patients_resource_never_reaches_a_rule(key):
    theirs = KINDS[key] | {"id": "theirs", "subject": {"reference": "Patient/p2"}}
    mixed = facts(**{key: [KINDS[key], theirs]})
    assert not any("theirs" in str(item) for item in known(mixed, key))
    assert known(mixed, key) == known(facts(**{key: [KINDS[key]]}), key)
    assert [(gap.source, gap.kind) for gap in mixed.gaps] == [(key, "foreign")]


@pytest.mark.parametrize("key", KINDS)
def test_F1_a_list_of_somebody_else_says_nothing_about_ours(key):
    found = facts(**{key: [KINDS[key] | {"subject": {"reference": "Patient/p2"}}]})
    assert known(found, key) is None
    assert found.failures[key] == "only another patient's data were sent"


@pytest.mark.parametrize("key", KINDS)
def test_F1_a_subject_that_cannot_be_compared_leaves_the_list_incomplete(key):
    found = facts(**{key: [KINDS[key], KINDS[key] | {"subject": {"identifier": {"value": "12345"}}}]})
    assert key in found.incomplete
    assert [gap.kind for gap in found.gaps] == ["unclear-subject"]


def test_F1_a_patient_resource_of_somebody_else_stops_the_call():
    with pytest.raises(ForeignPatient) as refused:
        facts(patient=ADULT | {"id": "p2"})
    assert isinstance(refused.value, BadRequest)
    assert (refused.value.status, refused.value.issue) == (400, "security")
    assert "p2" not in refused.value.message


def test_a_patient_that_is_not_there_is_named():
    assert facts(patient=None).failures["patient"] == "not found"
    assert facts(patient=ADULT | {"resourceType": "Person"}).patient is None
