"""Against a real FHIR server that holds the synthetic patients: call-back and prefetch give the same cards.

Needs CDS_TEST_HAPI, the base URL of the server, with the patients loaded (see README.md in this folder).
"""

import json
import os
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from support.casefiles import PATIENTS, request_of, without_uuids, words_of
from support.live import live_service

BASE = os.environ.get("CDS_TEST_HAPI", "").rstrip("/")
pytestmark = [
    pytest.mark.hapi,
    pytest.mark.skipif(
        not BASE,
        reason="CDS_TEST_HAPI is not set: nothing was checked against a real FHIR server. Start one with "
        "tests/hapi/serve.sh, load it with scripts/load_fixtures.py, and name its base URL",
    ),
]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DRUGS = {
    "855332": "warfarin sodium 5 MG Oral Tablet",
    "308867": "calcitriol 0.00025 MG Oral Capsule",
    "359296": "calcium acetate 667 MG Oral Capsule",
    "432402": "cinacalcet 30 MG Oral Tablet",
}
MEMBER = {"order-sign": "draftOrders", "order-select": "draftOrders", "medication-refill": "medications"}
HOOKS = ("order-sign", "order-select", "medication-refill", "patient-view", "encounter-discharge")
FOUR = (
    "vka-dialysis-new-start",
    "vka-dialysis-new-start-si",
    "vka-dialysis-no-labs",
    "vka-dialysis-not-on-dialysis",
)
NAMES = [path.stem for path in PATIENTS]


@pytest.fixture(scope="module")
def hapi():
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Cache-Control"] = "no-cache"
        found = session.get(f"{BASE}/Patient/{NAMES[0]}", timeout=60)
        assert found.ok, f"{BASE} does not hold the synthetic patients: run scripts/load_fixtures.py {BASE}"
        yield session


@pytest.fixture(scope="module")
def service(tmp_path_factory, hapi):
    folder = tmp_path_factory.mktemp("hapi")
    with live_service(folder, fhir_bases=(BASE,), deadline_ms=30_000, fhir_deadline_ms=25_000) as running:
        yield running


@pytest.fixture(scope="module")
def templates(service):
    return {entry["id"]: entry["prefetch"] for entry in service.get("/cds-services").json()["services"]}


def call(hook, patient_id):
    """A call of that hook; with orders, drafts of every kind that a rule is about."""
    context = {"patientId": patient_id, "userId": "Practitioner/synthetic-prescriber"}
    if hook == "encounter-discharge":
        context["encounterId"] = "encounter-1"
    if hook in MEMBER:
        entries = [
            {
                "resource": {
                    "resourceType": "MedicationRequest",
                    "id": f"draft-{number}",
                    "status": "draft",
                    "intent": "order",
                    "subject": {"reference": f"Patient/{patient_id}"},
                    "medicationCodeableConcept": {
                        "coding": [{"system": RXNORM, "code": code, "display": name}]
                    },
                }
            }
            for number, (code, name) in enumerate(DRUGS.items(), 1)
        ]
        context[MEMBER[hook]] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if hook == "order-select":
        context["selections"] = ["MedicationRequest/draft-1"]
    return {"hook": hook, "hookInstance": "2b1b62ba-6a7b-4f62-9a4c-0d6a6f1f3a10", "context": context}


def read(hapi, query, patient_id):
    answer = hapi.get(f"{BASE}/{query.replace('{{context.patientId}}', patient_id)}", timeout=60)
    assert answer.ok, answer.text
    return json.loads(answer.text)


def referred(hapi, medications):
    """The Medication resources that a medication list refers to."""
    requests_ = [entry["resource"] for entry in medications.get("entry", [])]
    names = [one["medicationReference"]["reference"] for one in requests_ if "medicationReference" in one]
    return [read(hapi, name, "") for name in names]


def answers(service, hook, document):
    """Cards and outcomes, without uuids."""
    name = f"calciphylaxis-{hook}"
    trace = service.explain(document, name)
    judged = [(one["rule"], one["order"], one["outcome"], one["indicator"]) for one in trace["outcomes"]]
    return without_uuids(service.cards(document, name)), judged


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("patient_id", NAMES)
def test_call_back_equals_prefetch(service, hapi, templates, patient_id, hook):
    document = call(hook, patient_id)
    queries = templates[f"calciphylaxis-{hook}"]
    prefetch = {key: read(hapi, query, patient_id) for key, query in queries.items()}
    # A site whose medication list only refers to Medications sends these along, under a key of its own.
    prefetch |= {
        f"site-{number}": drug for number, drug in enumerate(referred(hapi, prefetch["medications"]))
    }
    fetched = answers(service, hook, document | {"fhirServer": BASE})
    given = answers(service, hook, document | {"prefetch": prefetch})
    assert fetched == given
    if hook not in ("order-sign", "patient-view"):
        return
    half = {key: value for number, (key, value) in enumerate(prefetch.items()) if number % 2}
    assert answers(service, hook, document | {"fhirServer": BASE, "prefetch": half}) == given
    rest = {key: value for key, value in prefetch.items() if key not in half}
    assert answers(service, hook, document | {"fhirServer": BASE, "prefetch": rest}) == given


@pytest.mark.parametrize("name", FOUR)
def test_the_four_calls_without_prefetch(service, name):
    document = request_of(name)
    complete = service.cards(document)
    del document["prefetch"]
    cards = service.cards(document | {"fhirServer": BASE})
    # Ids of resources differ between the case and the server; no card prints them.
    assert without_uuids(cards) == without_uuids(complete)


def test_warfarin_on_dialysis_by_call_back(service):
    document = request_of("vka-dialysis-new-start") | {"fhirServer": f"{BASE}/"}
    del document["prefetch"]
    (card,) = service.cards(document)
    assert card["source"]["topic"]["code"] == "vkaDialysisWarning"
    assert "62.7 mg2/dL2" in words_of(card)


def test_not_on_dialysis_by_call_back(service):
    document = request_of("vka-dialysis-not-on-dialysis") | {"fhirServer": BASE}
    del document["prefetch"]
    assert service.call(document).content == b'{"cards":[]}'


@pytest.mark.parametrize("key", ["conditions", "labs", "medications", "procedures"])
def test_further_pages_are_read(service, hapi, templates, key):
    """The EHR prefetches one page of several; the service reads the rest by the server's own links."""
    patient_id = "hd-warfarin"
    query = templates["calciphylaxis-order-sign"][key].replace("&_count=100", "")
    page = read(hapi, f"{query}&_count={5 if key == 'labs' else 1}", patient_id)
    assert any(link["relation"] == "next" for link in page["link"])
    for link in page["link"]:
        link["url"] = _under_base(link["url"])
    document = call("order-sign", patient_id) | {"fhirServer": BASE}
    complete = answers(service, "order-sign", document)
    assert answers(service, "order-sign", document | {"prefetch": {key: page}}) == complete


def _under_base(url):
    """The link as it would be on a server that is called by the name we use."""
    base = urlsplit(BASE)
    return urlunsplit(urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc))


def test_drug_behind_a_reference_is_known(service):
    """The active warfarin of this patient is a reference to a Medication: the draft is a renewal."""
    document = call("order-sign", "hd-medication-reference") | {"fhirServer": BASE}
    topics = [card["source"]["topic"]["code"] for card in service.cards(document)]
    assert "vkaDialysisInfoRenewal" in topics
    assert "vkaDialysisWarning" not in topics


def test_unknown_patient_is_named(service):
    trace = service.explain(call("order-sign", "nobody-of-this-name") | {"fhirServer": BASE})
    assert trace["facts"]["patient"] is None
    assert {"source": "patient", "kind": "unavailable", "text": "not found"} in trace["gaps"]


def test_server_that_may_not_be_called_is_not_called(service):
    """The same server under a name that no setting has."""
    other = BASE.replace("127.0.0.1", "localhost") if "127.0.0.1" in BASE else f"{BASE}/other"
    cards = service.cards(call("order-sign", "hd-new-start") | {"fhirServer": other})
    assert all("Gap" in card["source"]["topic"]["code"] for card in cards)
