"""Every state of prefetch, and its completion by reads. Numbers are those of the threat list."""

from __future__ import annotations

import asyncio
import json

import pytest
from fake_fhir import (
    EPIC_NO_RESULTS,
    FakeFhir,
    bundle,
    condition,
    json_answer,
    outcome,
    slow,
    status,
)
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.client import FhirClient
from cds_service.fhir.decode import decode_resource
from cds_service.fhir.prefetch import complete, members, read_prefetch, read_references
from cds_service.fhir.results import Deadline, Failed, FailureReason, FhirAccess, Incomplete
from cds_service.fhir.search import address_under
from cds_service.fhir.source import take_apart
from cds_service.protocol.prefetch import PrefetchTemplate, fill

PATIENT = PrefetchTemplate("patient", "Patient/{{context.patientId}}", "Patient")
CONDITIONS = PrefetchTemplate("conditions", "Condition?patient={{context.patientId}}", "Condition")
LABS = PrefetchTemplate("labs", "Observation?patient={{context.patientId}}&code=17861-6", "Observation")
VITALS = PrefetchTemplate(
    "vitals", "Observation?patient={{context.patientId}}&code=29463-7", "Observation", False
)
MEDICATIONS = PrefetchTemplate(
    "medications", "MedicationRequest?patient={{context.patientId}}", "MedicationRequest"
)
TEMPLATES = (PATIENT, CONDITIONS, LABS, VITALS, MEDICATIONS)
CONTEXT = {"patientId": "p1"}
P1 = {"resourceType": "Patient", "id": "p1"}


def lab(number, **more):
    return {"resourceType": "Observation", "id": f"o{number}", **more}


def order(number, **more):
    return {"resourceType": "MedicationRequest", "id": f"m{number}", **more}


def entry(resource, mode):
    return {"resource": resource, "search": {"mode": mode}}


def self_link(url):
    return [{"relation": "self", "url": url}]


def sources_of(prefetch):
    """As the pipeline does it: decode each value, note what was dropped."""
    values, dropped = {}, {}
    for key, value in prefetch.items():
        lost = []
        values[key] = None if value is None else decode_resource(json.dumps(value).encode(), key, lost)
        if lost:
            dropped[key] = tuple(lost)
    taken = {key: take_apart(value, dropped.get(key, ())) for key, value in values.items()}
    return read_prefetch(taken, TEMPLATES)


def summary(source):
    """(ids or None, failure, gaps), or None for a source that is not there."""
    if source is None:
        return None
    found = None if source.resources is None else [resource.id for resource in source.resources]
    assert source.complete == (found is not None and not source.gaps)
    return found, source.failure, list(source.gaps)


def data(*ids, gaps=()):
    return list(ids), None, list(gaps)


def failed(reason, *gaps):
    return None, reason, list(gaps)


NONE_FOUND = data()
REPORTED = failed(FailureReason.REPORTED_PROBLEM)
NO_RESULTS = outcome("warning", coding=EPIC_NO_RESULTS)
NO_RIGHTS = outcome("warning", "suppressed", {"system": EPIC_NO_RESULTS["system"], "code": "59204"})

VALUES_UNDER_OUR_KEY = {
    "null": (None, NONE_FOUND),
    "empty-bundle": (bundle(), NONE_FOUND),
    "empty-bundle-with-total-0": (bundle(total=0), NONE_FOUND),
    "empty-bundle-with-entry-list": (bundle(entry=[]), NONE_FOUND),
    "bundle-without-type": ({"resourceType": "Bundle", "entry": [{"resource": condition(1)}]}, data("c1")),
    "bundle-without-resource-type": ({"entry": [{"resource": condition(1)}]}, data("c1")),
    "searchset": (bundle(condition(1), condition(2)), data("c1", "c2")),
    "collection": (bundle(condition(1), type="collection"), data("c1")),
    "bare-resource": (condition(1), data("c1")),
    "duplicate": (bundle(condition(1), condition(1)), data("c1")),
    "two-versions": (bundle(condition(1), condition(1, status="x")), data("c1", "c1")),
    "include-of-another-type": (
        bundle(entry=[entry(condition(1), "match"), entry(P1, "include")]),
        data("c1"),
    ),
    "include-only": (bundle(entry=[entry(P1, "include")]), NONE_FOUND),
    "outcome": (outcome(), REPORTED),
    "outcome-forbidden": (outcome(code="forbidden"), failed(FailureReason.NOT_PERMITTED)),
    "outcome-timeout": (outcome(code="timeout"), failed(FailureReason.NO_ANSWER_IN_TIME)),
    "outcome-information": (outcome("information"), REPORTED),
    "outcome-without-issue": ({"resourceType": "OperationOutcome"}, REPORTED),
    "bundle-with-epic-no-results": (bundle(entry=[entry(NO_RESULTS, "outcome")], total=0), NONE_FOUND),
    "bundle-with-4101-without-system": (bundle(outcome("warning", coding={"code": "4101"})), NONE_FOUND),
    "bundle-with-4101-of-another-system": (
        bundle(outcome("warning", coding={"system": "http://other.example", "code": "4101"})),
        REPORTED,
    ),
    "bundle-with-4101-as-error": (bundle(outcome("error", coding=EPIC_NO_RESULTS)), REPORTED),
    "bundle-with-no-results-and-no-rights": (
        bundle(NO_RESULTS, NO_RIGHTS),
        failed(FailureReason.NOT_PERMITTED),
    ),
    "bundle-with-access-warning": (bundle(NO_RIGHTS, total=0), failed(FailureReason.NOT_PERMITTED)),
    "bundle-with-warning": (bundle(outcome("warning")), REPORTED),
    "bundle-with-error": (bundle(outcome("error")), REPORTED),
    "bundle-with-fatal": (bundle(outcome("fatal")), REPORTED),
    "bundle-with-outcome-without-severity": (bundle(outcome(None)), REPORTED),
    "bundle-with-information": (bundle(outcome("information")), NONE_FOUND),
    "data-beside-information": (bundle(condition(1), outcome("information")), data("c1")),
    "data-beside-warning": (bundle(condition(1), NO_RIGHTS), data("c1", gaps=[Incomplete.PROBLEM])),
    "next-link": (
        bundle(condition(1), next_link="https://ehr.example/r4?_getpages=1"),
        data("c1", gaps=[Incomplete.PAGES]),
    ),
    "fewer-than-total": (bundle(condition(1), total=7), data("c1", gaps=[Incomplete.FEWER_THAN_TOTAL])),
    "count-only": (bundle(total=7), failed(FailureReason.NOT_FHIR, Incomplete.FEWER_THAN_TOTAL)),
    "null-entry": (bundle(entry=[None, {"resource": condition(1)}]), data("c1", gaps=[Incomplete.ENTRIES])),
    "entry-without-resource": (
        bundle(entry=[{"fullUrl": "x"}]),
        failed(FailureReason.NOT_FHIR, Incomplete.ENTRIES),
    ),
    "broken-entry": (
        bundle(condition(1), condition(2, code="text")),
        data("c1", gaps=[Incomplete.ENTRIES]),
    ),
    "broken-entries-only": (
        bundle(condition(1, code="text")),
        failed(FailureReason.NOT_FHIR, Incomplete.ENTRIES),
    ),
    "broken-entry-of-another-type": (
        bundle(condition(1), {"resourceType": "Encounter", "status": 7, "period": "x"}),
        data("c1"),
    ),
    "broken-bundle": ({"resourceType": "Bundle", "entry": "x"}, failed(FailureReason.NOT_FHIR)),
    "broken-resource": (condition(1, code="text"), failed(FailureReason.NOT_FHIR)),
    "list": ([condition(1)], failed(FailureReason.NOT_FHIR)),
    "string": ("Condition/1", failed(FailureReason.NOT_FHIR)),
    "empty-object": ({}, failed(FailureReason.NOT_FHIR)),
    "wrapper": ({"response": {"status": "200 OK"}, "resource": bundle(condition(1))}, data("c1")),
    "wrapper-without-response": ({"resource": bundle(condition(1))}, data("c1")),
    "wrapper-with-number": ({"response": {"status": 200}, "resource": condition(1)}, data("c1")),
    "wrapper-with-null": ({"response": {"status": "200 OK"}, "resource": None}, NONE_FOUND),
    "wrapper-404": ({"response": {"status": "404 Not Found"}}, failed(FailureReason.NOT_FOUND)),
    "wrapper-403-with-outcome": (
        {"response": {"status": "403"}, "resource": outcome()},
        failed(FailureReason.NOT_PERMITTED),
    ),
    "wrapper-500": ({"response": {"status": "500"}}, failed(FailureReason.SERVER_ERROR)),
    "wrapper-with-outcome": ({"resource": outcome()}, REPORTED),
    "content-of-another-type": (bundle(order(1)), None),
    "bare-resource-of-another-type": (P1, None),
}


@pytest.mark.parametrize(
    ("value", "expected"), VALUES_UNDER_OUR_KEY.values(), ids=VALUES_UNDER_OUR_KEY.keys()
)
def test_F10_F11_value_under_our_key(value, expected):
    assert summary(sources_of({"conditions": value})["conditions"]) == expected


def test_F10_absent_key_is_not_there():
    assert sources_of({}) == dict.fromkeys(("patient", "conditions", "labs", "vitals", "medications"))


def test_F10_unreadable_value_as_the_request_decoder_marks_it():
    """The decoder of the call puts an OperationOutcome without issues, and notes the drop."""
    lost = []
    decode_resource(b'{"resourceType":"Condition","code":1}', "prefetch[0]", lost)
    mark = decode_resource(b'{"resourceType":"OperationOutcome"}', "", [])
    source = read_prefetch({"conditions": take_apart(mark, tuple(lost))}, TEMPLATES)["conditions"]
    assert summary(source) == failed(FailureReason.NOT_FHIR)
    assert source.dropped == tuple(lost)


SITE_NAMED = {
    "bundle": ({"-problems": bundle(condition(1))}, {"conditions": data("c1")}),
    "patient": ({"currentPatient": P1}, {"patient": data("p1")}),
    "patient-in-bundle": ({"x": bundle(P1)}, {"patient": data("p1")}),
    "several-keys-of-one-type": (
        {"ca": bundle(lab(1)), "phos": bundle(lab(2), lab(1))},
        {"labs": data("o1", "o2")},
    ),
    "everything-in-one": (
        {"all": bundle(P1, condition(1), lab(1), type="collection")},
        {"patient": data("p1"), "conditions": data("c1"), "labs": data("o1")},
    ),
    "null-says-nothing": ({"x": None}, {}),
    "empty-bundle-says-nothing": ({"x": bundle()}, {}),
    "empty-bundle-with-self-link": (
        {"x": bundle(link=self_link("https://ehr.example/r4/Condition?patient=p1"))},
        {"conditions": NONE_FOUND},
    ),
    "empty-bundle-of-post-search": (
        {"x": bundle(link=self_link("https://ehr.example/r4/Condition/_search?patient=p1"))},
        {"conditions": NONE_FOUND},
    ),
    "empty-bundle-with-self-link-elsewhere": (
        {"x": bundle(link=self_link("https://e.example/Slot?x=1"))},
        {},
    ),
    "no-results-with-self-link": (
        {"x": bundle(NO_RESULTS, link=self_link("Condition?patient=p1"))},
        {"conditions": NONE_FOUND},
    ),
    "no-rights-with-self-link": (
        {"x": bundle(NO_RIGHTS, link=self_link("Condition?patient=p1"))},
        {"conditions": failed(FailureReason.NOT_PERMITTED)},
    ),
    "include-is-no-answer": (
        {"meds": bundle(entry=[entry(order(1), "match"), entry(condition(1), "include")])},
        {"medications": data("m1")},
    ),
    "include-in-our-key-is-no-answer": (
        {"medications": bundle(order(1), condition(1), P1)},
        {"medications": data("m1")},
    ),
    "the-same-in-a-wrapper-and-bare": (
        {"a": bundle(condition(1)), "b": {"response": {"status": "200"}, "resource": bundle(condition(1))}},
        {"conditions": data("c1")},
    ),
    "another-version-in-a-wrapper": (
        {
            "a": bundle(condition(1)),
            "b": {"response": {"status": "200"}, "resource": condition(1, status="x")},
        },
        {"conditions": data("c1", "c1", gaps=[Incomplete.SINGLE])},
    ),
    "self-link-beats-entries": (
        {"x": bundle(order(1), condition(1), link=self_link("MedicationRequest?patient=p1"))},
        {"medications": data("m1")},
    ),
    "single-resource-for-a-search": (
        {"x": condition(1)},
        {"conditions": data("c1", gaps=[Incomplete.SINGLE])},
    ),
    "ours-empty-and-theirs-full": (
        {"conditions": None, "problems": bundle(condition(1))},
        {"conditions": data("c1")},
    ),
    "ours-and-theirs": (
        {"conditions": bundle(condition(1)), "problems": bundle(condition(2))},
        {"conditions": data("c1", "c2")},
    ),
    "ours-failed-and-theirs-full": (
        {"conditions": outcome(), "problems": bundle(condition(1))},
        {"conditions": data("c1", gaps=[Incomplete.PROBLEM])},
    ),
    "misnamed": ({"labs": bundle(condition(1))}, {"conditions": data("c1")}),
    "outcome-of-unknown-query": ({"x": outcome()}, {}),
    "one-of-several-failed": (
        {"ca": bundle(lab(1)), "phos": outcome()},
        {"labs": data("o1", gaps=[Incomplete.OTHER_VALUE])},
    ),
    "one-of-several-failed-the-other-empty": (
        {"ca": bundle(link=self_link("Observation?code=1")), "phos": outcome()},
        {"labs": failed(FailureReason.NOT_FHIR, Incomplete.OTHER_VALUE)},
    ),
    "failure-elsewhere-does-not-touch-our-keys": (
        {"labs": bundle(lab(1)), "x": outcome()},
        {"labs": data("o1")},
    ),
    "two-templates-of-one-type-by-key": (
        {"labs": bundle(lab(1)), "vitals": bundle(lab(2))},
        {"labs": data("o1"), "vitals": data("o2")},
    ),
    "two-templates-of-one-type-foreign-key": ({"x": bundle(lab(1))}, {"labs": data("o1")}),
    "two-templates-of-one-type-mixed": (
        {"vitals": None, "x": bundle(lab(1))},
        {"labs": data("o1"), "vitals": NONE_FOUND},
    ),
    "unknown-type": ({"x": bundle({"resourceType": "Slot", "id": "s1"})}, {}),
    "broken-resource-names-its-type": (
        {"x": bundle(condition(1, code="text"))},
        {"conditions": failed(FailureReason.NOT_FHIR, Incomplete.ENTRIES)},
    ),
}


@pytest.mark.parametrize(("prefetch", "expected"), SITE_NAMED.values(), ids=SITE_NAMED.keys())
def test_F10_values_are_found_by_content(prefetch, expected):
    found = {key: summary(source) for key, source in sources_of(prefetch).items() if source is not None}
    assert found == expected


def test_included_resources_come_along():
    medication = {"resourceType": "Medication", "id": "d1"}
    source = sources_of({"x": bundle(order(1), medication, medication)})["medications"]
    assert [resource.reference for resource in source.included] == ["Medication/d1"]


def test_duplicates_without_id_are_dropped_by_content():
    nameless = {"resourceType": "Condition", "recordedDate": "2026-01-01"}
    other = {"resourceType": "Condition", "recordedDate": "2026-01-02"}
    source = sources_of({"a": bundle(nameless, other), "b": bundle(nameless)})["conditions"]
    assert [resource.recordedDate for resource in source.resources] == ["2026-01-01", "2026-01-02"]


def test_members_of_any_value():
    value = {"resource": bundle(entry=[entry(order(1), "match"), entry(P1, "include")])}
    found = members(decode_resource(json.dumps(value).encode(), "", []))
    assert [resource.reference for resource in found] == ["MedicationRequest/m1", "Patient/p1"]
    assert list(members(None)) == []


def test_T14_repr_of_a_source_holds_no_clinical_data():
    source = sources_of({"conditions": bundle(condition("canary"), P1, next_link="https://e.example?canary")})
    assert "canary" not in repr(source)


# Templates


@pytest.mark.parametrize(
    ("key", "query", "resource_type"),
    [
        ("a", "Condition?patient={{context.patientId}}", "Observation"),
        ("a", "Condition?date=gt{{today()}}", "Condition"),
        ("a", "Condition?recorder={{userPractitionerId}}", "Condition"),
        ("a", "Condition?x={{context.draftOrders.id}}", "Condition"),
    ],
)
def test_template_outside_the_subset_is_refused(key, query, resource_type):
    with pytest.raises(ValueError, match="Template 'a'"):
        PrefetchTemplate(key, query, resource_type)


def test_fill_puts_ids_in():
    assert fill(CONDITIONS, {"patientId": "e0VeG.BK-1", "userId": "x/y"}) == "Condition?patient=e0VeG.BK-1"
    spaced = PrefetchTemplate("a", "Encounter/{{ context.encounterId }}", "Encounter")
    assert fill(spaced, {"encounterId": "e1"}) == "Encounter/e1"
    assert not spaced.is_search


@pytest.mark.parametrize(
    "unsafe",
    [
        "",
        ".",
        "..",
        "...",
        "../Practitioner/9",
        "1?_include=*",
        "1/$everything",
        "a b",
        "a\n",
        "%2e",
        "a" * 257,
        "é",
    ],
)
def test_T12_unsafe_id_is_refused_and_not_repeated(unsafe):
    with pytest.raises(ValueError, match="patientId") as caught:
        fill(PATIENT, {"patientId": unsafe})
    assert len(str(caught.value)) < 60


def test_T12_missing_id_is_refused():
    with pytest.raises(ValueError, match="no patientId"):
        fill(PATIENT, {})


@given(
    st.text() | st.from_regex(r"[A-Za-z0-9.\-]{1,256}", fullmatch=True) | st.from_regex(r"[./%\\?#a]{1,6}")
)
def test_T12_filled_query_always_stays_with_its_resource(patient_id):
    try:
        query = fill(PATIENT, {"patientId": patient_id})
    except ValueError:
        return
    assert query == f"Patient/{patient_id}"
    base = "https://ehr.example/r4"
    assert address_under(base, f"{base}/{query}") == f"{base}/Patient/{patient_id}"


@given(st.text(alphabet="htps:/.@\\?#%2eEvil1", max_size=40))
def test_T11_address_under_base_always_starts_with_the_base(text):
    base = "https://ehr.example/r4"
    for url in (text, base + text, f"https://{text}"):
        address = address_under(base, url)
        assert address is None or address == base or address[len(base)] in "/?"
        assert address is None or address.startswith(base)


@pytest.mark.parametrize(
    "url", ["https://EHR.example/r4/Condition?x=1", "https://ehr.example:443/r4/Condition?x=1"]
)
def test_T11_same_origin_in_other_words_is_accepted(url):
    assert address_under("https://ehr.example/r4/", url) == "https://ehr.example/r4/Condition?x=1"


# Completion


@pytest.fixture
def fake():
    server = FakeFhir()
    yield server
    server.close()


@pytest.fixture
def canary():
    server = FakeFhir()
    yield server
    server.close()


@pytest.fixture
def client():
    client = FhirClient(threads=8)
    yield client
    client.close()


def completed(
    client, prefetch, base, *, context=CONTEXT, seconds=2.0, templates=TEMPLATES, batch=False, named=None
):
    access = None if base is None else FhirAccess(base, "token", named)
    sources = {template.key: sources_of(prefetch)[template.key] for template in templates}
    return asyncio.run(
        complete(sources, templates, context, access, client, Deadline.after(seconds), batch=batch)
    )


def test_what_is_missing_is_read_in_parallel(fake, client):
    fake.on("Patient/p1", slow(0.1, json_answer(P1)))
    fake.on("Condition", slow(0.1, json_answer(bundle(condition(1)))))
    fake.on("Observation", slow(0.1, json_answer(bundle())))
    sources = completed(client, {"medications": bundle(order(1))}, fake.base, seconds=0.35)
    assert {key: summary(source) for key, source in sources.items()} == {
        "patient": data("p1"),
        "conditions": data("c1"),
        "labs": NONE_FOUND,
        "vitals": NONE_FOUND,
        "medications": data("m1"),
    }
    assert [source.origin for source in sources.values()] == ["fhir"] * 4 + ["prefetch"]
    assert sources["labs"].seconds >= 0.1
    assert len(fake.heard) == 4


def test_same_data_by_prefetch_and_by_reads_is_the_same(fake, client):
    prefetch = {"patient": P1, "conditions": bundle(condition(1), condition(2)), "labs": bundle(lab(1))}
    prefetch |= {"vitals": bundle(), "medications": bundle(order(1))}
    fake.on("Patient/p1", json_answer(P1))
    fake.on("Condition", json_answer(prefetch["conditions"]))
    fake.on("Observation?patient=p1&code=17861-6", json_answer(prefetch["labs"]))
    fake.on("Observation?patient=p1&code=29463-7", json_answer(bundle()))
    fake.on("MedicationRequest", json_answer(prefetch["medications"]))
    sent = completed(client, prefetch, None)
    fetched = completed(client, {}, fake.base)
    assert {key: source.resources for key, source in sent.items()} == {
        key: source.resources for key, source in fetched.items()
    }


def test_batch_completes_in_one_request(fake, client):
    answers = [{"response": {"status": "200"}, "resource": one} for one in (P1, bundle(condition(1)))]
    fake.on("", json_answer({"resourceType": "Bundle", "type": "batch-response", "entry": answers}))
    sources = completed(client, {}, fake.base, templates=(PATIENT, CONDITIONS), batch=True)
    assert summary(sources["conditions"]) == data("c1")
    assert len(fake.heard) == 1


def test_without_access_what_is_missing_says_so(client):
    sources = completed(client, {"conditions": None, "labs": outcome()}, None)
    assert summary(sources["patient"]) == failed(FailureReason.NO_ACCESS)
    assert sources["patient"].origin == "none"
    assert summary(sources["conditions"]) == NONE_FOUND
    assert summary(sources["labs"]) == REPORTED


@pytest.mark.parametrize("value", [None, bundle(), outcome()], ids=["null", "empty", "outcome"])
def test_F10_known_none_and_reported_problems_are_not_asked_for_again(fake, client, value):
    completed(client, {"conditions": value}, fake.base, templates=(CONDITIONS,))
    assert fake.heard == []


def test_F10_unreadable_value_is_read_again(fake, client):
    fake.on("Condition", json_answer(bundle(condition(1))), status(500))
    broken = {"conditions": {"resourceType": "Bundle", "entry": "x"}}
    good = completed(client, broken, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(good) == data("c1")
    bad = completed(client, broken, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(bad) == failed(FailureReason.SERVER_ERROR)
    without = completed(client, broken, None, templates=(CONDITIONS,))["conditions"]
    assert summary(without) == failed(FailureReason.NOT_FHIR)
    assert [len(source.dropped) for source in (good, bad, without)] == [1, 1, 1]


def test_F3_F9_failures_and_gaps_of_reads_are_named(fake, client):
    fake.on("Patient/p1", status(403))
    fake.on(
        "Condition",
        json_answer(bundle(condition(1), condition(2, code="text"), next_link="https://evil.example/")),
    )
    fake.on("Observation", json_answer(bundle(lab(1, code="text"))))
    fake.on("MedicationRequest", json_answer(bundle(condition(3))))
    sources = completed(client, {}, fake.base)
    assert summary(sources["patient"]) == failed(FailureReason.NOT_PERMITTED)
    assert summary(sources["conditions"]) == data("c1", gaps=[Incomplete.ENTRIES, Incomplete.PAGES])
    assert summary(sources["labs"]) == failed(FailureReason.NOT_FHIR, Incomplete.ENTRIES)
    assert summary(sources["medications"]) == failed(FailureReason.NOT_FHIR)
    assert len(sources["conditions"].dropped) == 1


@pytest.mark.parametrize("unsafe", ["../Practitioner/9", None], ids=["unsafe", "missing"])
def test_T12_unsafe_id_is_not_read(fake, client, unsafe):
    context = {} if unsafe is None else {"patientId": unsafe}
    sources = completed(client, {}, fake.base, context=context)
    assert {source.failure for source in sources.values()} == {FailureReason.ADDRESS_NOT_ALLOWED}
    assert fake.heard == []


@pytest.mark.parametrize(
    "link", ["{base}?_getpages=7", "{base}/Condition?page=2", "Condition?page=2", "?page=2"]
)
def test_F10_partial_prefetch_is_continued(fake, client, link):
    fake.on("Condition", json_answer(bundle(condition(2))))
    fake.on("?", json_answer(bundle(condition(2), P1)))
    fake.on("/?", json_answer(bundle(condition(2))))
    partial = {"conditions": bundle(condition(1), next_link=link.format(base=fake.base))}
    source = completed(client, partial, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == data("c1", "c2")
    assert source.origin == "prefetch"
    assert len(fake.heard) == 1


def test_F10_partial_prefetch_under_the_name_the_ehr_uses_is_continued(fake, client):
    fake.on("Condition", json_answer(bundle(condition(2))))
    partial = {"x": bundle(condition(1), next_link="https://ehr.example/r4/Condition?page=2")}
    sources = completed(client, partial, fake.base, templates=(CONDITIONS,), named="https://ehr.example/r4")
    assert summary(sources["conditions"]) == data("c1", "c2")


def test_T11_foreign_next_link_of_a_prefetch_is_not_followed_and_canary_hears_nothing(fake, canary, client):
    partial = {"conditions": bundle(condition(1), next_link=f"{canary.base}/Condition?page=2")}
    source = completed(client, partial, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == data("c1", gaps=[Incomplete.PAGES])
    assert canary.heard == []
    assert fake.heard == []


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (status(500), FailureReason.SERVER_ERROR),
        (json_answer(outcome()), FailureReason.REPORTED_PROBLEM),
        (json_answer(bundle(lab(1))), FailureReason.NOT_FHIR),
    ],
    ids=["500", "outcome", "other-type"],
)
def test_F9_partial_prefetch_whose_continuation_fails_stays_partial(fake, client, second, reason):
    fake.on("Condition", second)
    partial = {"conditions": bundle(condition(1), next_link="Condition?page=2")}
    source = completed(client, partial, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == data("c1", gaps=[Incomplete.PAGES])
    # An empty first page with more behind it is no "none found".
    partial = {"conditions": bundle(next_link="Condition?page=2")}
    source = completed(client, partial, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == failed(reason, Incomplete.PAGES)


def test_F9_empty_first_page_without_access_is_no_none_found(client):
    partial = {"conditions": bundle(next_link="Condition?page=2")}
    source = completed(client, partial, None, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == failed(FailureReason.NO_ACCESS, Incomplete.PAGES)


def test_F9_continuation_that_is_cut_itself_stays_partial(fake, client):
    fake.on("Condition", json_answer(bundle(condition(2), next_link="https://evil.example/")))
    partial = {"conditions": bundle(condition(1), next_link="Condition?page=2")}
    source = completed(client, partial, fake.base, templates=(CONDITIONS,))["conditions"]
    assert summary(source) == data("c1", "c2", gaps=[Incomplete.PAGES])


def test_T10_base_that_is_none_is_not_called(client):
    partial = {"conditions": bundle(condition(1), next_link="Condition?page=2")}
    sources = completed(client, partial, "file:///etc", templates=(CONDITIONS, PATIENT))
    assert summary(sources["conditions"]) == data("c1", gaps=[Incomplete.PAGES])
    assert summary(sources["patient"]) == failed(FailureReason.ADDRESS_NOT_ALLOWED)


# References of draft orders


def references(client, refs, access, **more):
    return asyncio.run(read_references(refs, access, client, Deadline.after(2.0), **more))


def test_F21_references_of_drafts_are_read_once_each(fake, client):
    fake.on("Medication/d1", json_answer({"resourceType": "Medication", "id": "d1"}))
    written = [
        "Medication/d1",
        f"{fake.base}/Medication/d1",
        "https://ehr.example/r4/Medication/d1",
        "Medication/d1/_history/3",
        "Medication/gone",
    ]
    access = FhirAccess(fake.base, named="https://ehr.example/r4")
    found = references(client, written, access)
    assert list(found) == written
    assert [found[name].resource.id for name in written[:4]] == ["d1"] * 4
    assert found["Medication/gone"].reason is FailureReason.NOT_FOUND
    assert sorted(fake.paths) == ["/fhir/Medication/d1", "/fhir/Medication/gone"]


@pytest.mark.parametrize(
    "reference",
    [
        "#contained",
        "urn:uuid:0b5e3c1a-0000-4000-8000-000000000000",
        "Patient/p1",
        "Medication",
        "Medication/",
        "Medication/..",
        "Medication/a/b",
        "Medication/../Patient/p1",
        "Medication?code=1",
        "Medication/1?_include=*",
        "https://evil.example/fhir/Medication/1",
        "{root}/other/Medication/1",
        "",
    ],
)
def test_T11_T12_other_references_are_not_read(fake, client, reference):
    reference = reference.format(root=fake.root)
    found = references(client, [reference], FhirAccess(fake.base, "token"))
    assert found == {reference: Failed(FailureReason.ADDRESS_NOT_ALLOWED)}
    assert fake.heard == []


def test_references_without_access_say_so(client):
    assert references(client, ["Medication/1"], None) == {"Medication/1": Failed(FailureReason.NO_ACCESS)}


def test_one_call_cannot_flood_a_server_with_references(fake, client):
    found = references(client, [f"Medication/{n}" for n in range(200)], FhirAccess(fake.base))
    assert len(found) == 200
    assert len(fake.heard) <= 20
    assert found["Medication/199"].reason is FailureReason.SERVER_BUSY
