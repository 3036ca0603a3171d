"""Resources of the kinds that calls consist of are decoded into smaller Structs: nothing that is read may be lost by it."""

import json
from contextlib import suppress

import msgspec
import pytest
from fhir.resources import get_fhir_model_class as r5
from fhir.resources.R4B import get_fhir_model_class as r4b
from fhir.resources.STU3 import get_fhir_model_class as stu3

from cds_service.fhir.decode import CodeableConcept, Resource, decode_resource
from cds_service.fhir.kinds import FIELDS

READ = {field.name for field in msgspec.structs.fields(Resource)}
KINDS = [name for name, fields in FIELDS.items() if fields]
# No rule reads these of resources that only come along.
UNREAD = {"MedicationStatement", "MedicationDispense"}


def decoded(**members):
    dropped = []
    resource = decode_resource(json.dumps(members).encode(), "$", dropped)
    assert dropped == []
    return resource


def members_of(kind):
    """What FHIR lets a resource of this kind have, in any version that clients send."""
    names = set()
    for version in (r5, r4b, stu3):
        with suppress(ValueError):  # STU3 has a ProcedureRequest for a ServiceRequest
            names |= {field.alias or name for name, field in version(kind).model_fields.items()}
    return names


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNREAD])
def test_a_kind_has_every_field_that_fhir_gives_it_and_the_product_reads(kind):
    fields = {field.name for field in msgspec.structs.fields(type(decoded(resourceType=kind)))}
    assert (members_of(kind) & READ) - fields == set()
    assert fields <= READ


@pytest.mark.parametrize("kind", [*FIELDS, "Basic"])
def test_every_field_can_be_asked_for_and_is_none_where_nothing_was_sent(kind):
    resource = decoded(resourceType=kind, id="1")
    assert (resource.resourceType, resource.reference) == (kind, f"{kind}/1")
    assert {name for name in READ if getattr(resource, name) is not None} == {"resourceType", "id"}


@pytest.mark.parametrize("kind", ["Condition", "Basic", None])
def test_a_resource_of_any_kind_has_what_all_kinds_have(kind):
    sent = {} if kind is None else {"resourceType": kind}
    found = decoded(**sent, id="1", code={"text": "words"}, patient={"reference": "Patient/1"})
    assert (found.resourceType, found.code) == (kind, CodeableConcept([], "words"))
    assert found.patient.reference == "Patient/1"


def test_the_type_may_stand_anywhere():
    found = decoded(id="1", birthDate="1960", resourceType="Patient")
    assert (found.resourceType, found.birthDate) == ("Patient", "1960")


@pytest.mark.parametrize("kind", ["Condition", "Basic"])
def test_in_a_bundle_a_kind_that_is_not_known_stands_beside_one_that_is(kind):
    entries = [{"resource": {"resourceType": name, "id": "1"}} for name in (kind, "Observation")]
    found = decoded(resourceType="Bundle", total=2, entry=[*entries, None])
    assert [entry and entry.resource.resourceType for entry in found.entry] == [kind, "Observation", None]
    assert found.total == 2
