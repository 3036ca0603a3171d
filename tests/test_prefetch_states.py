"""Everything a prefetch value can be, over HTTP, for each core key, with and without a FHIR server to ask.

What a value means: data, looked and found none (never asked again), reported as a problem (never asked
again either), received in part, or simply not sent (then the server is asked, if there is one).
"""

import json

import pytest
from support.casefiles import request_of, words_of
from support.fhir_server import TYPES, asked, fake, fill, forget
from support.live import live_service

CORE = ("patient", "conditions", "labs", "medications")
PROBLEM = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
PAGE = "/page?number=2"
BASE = "https://base-of-the-server.example"
READABLE = "data"
NONE = "none"
PART = "part"
FAILED = "failed"
FETCHED = "fetched"
CONTINUED = "continued"


@pytest.fixture(scope="module")
def server():
    running = fake.FakeFhir()
    yield running
    running.close()


@pytest.fixture(scope="module")
def service(server, tmp_path_factory):
    with live_service(tmp_path_factory.mktemp("prefetch"), fhir_bases=(server.base,)) as running:
        yield running


@pytest.fixture
def ehr(server):
    """The server, holding the whole chart."""
    forget(server)
    fill(server, chart())
    return server


def call():
    """Warfarin for a man on dialysis who has been taking it: each core key decides something."""
    return request_of("vka-dialysis-renewal-high-product")


def chart():
    return call()["prefetch"]


def entries(value):
    return value.get("entry", []) if value["resourceType"] == "Bundle" else [{"resource": value}]


def searchset(value, **more):
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries(value)),
        "entry": entries(value),
    } | more


def problem_entry():
    return {"resource": PROBLEM, "search": {"mode": "outcome"}}


# What the EHR sends for a key, made from the good value; what it means without a server, and with one.
STATES = {
    "null": (lambda _: None, NONE, NONE),
    "empty-bundle": (
        lambda _: {"resourceType": "Bundle", "type": "searchset", "total": 0},
        NONE,
        NONE,
    ),
    "empty-entry-list": (
        lambda _: {"resourceType": "Bundle", "type": "searchset", "entry": []},
        NONE,
        NONE,
    ),
    "searchset": (searchset, READABLE, READABLE),
    "searchset-without-total": (
        lambda value: {key: item for key, item in searchset(value).items() if key != "total"},
        READABLE,
        READABLE,
    ),
    "next-link": (
        lambda value: searchset(value, link=[{"relation": "next", "url": BASE + PAGE}]),
        PART,
        CONTINUED,
    ),
    "next-link-elsewhere": (
        lambda value: searchset(value, link=[{"relation": "next", "url": "https://other.example/fhir/p2"}]),
        PART,
        PART,
    ),
    "collection": (
        lambda value: {"resourceType": "Bundle", "type": "collection", "entry": entries(value)},
        READABLE,
        READABLE,
    ),
    "bundle-without-type": (
        lambda value: {"resourceType": "Bundle", "entry": entries(value)},
        READABLE,
        READABLE,
    ),
    "bare-resource": (lambda value: entries(value)[0]["resource"], READABLE, READABLE),
    "operation-outcome": (lambda _: PROBLEM, FAILED, FAILED),
    "operation-outcome-entry": (
        lambda _: {"resourceType": "Bundle", "type": "searchset", "entry": [problem_entry()]},
        FAILED,
        FAILED,
    ),
    "operation-outcome-beside-data": (
        lambda value: searchset(value) | {"entry": [*entries(value), problem_entry()]},
        PART,
        PART,
    ),
    "wrapper": (
        lambda value: {"response": {"status": "200 OK"}, "resource": value},
        READABLE,
        READABLE,
    ),
    "wrapper-of-failure": (
        lambda _: {"response": {"status": "403 Forbidden"}, "resource": PROBLEM},
        FAILED,
        FAILED,
    ),
    "wrapper-without-resource": (lambda _: {"response": {"status": "404"}}, FAILED, FAILED),
}


def sent(make, value, ehr):
    """The value with the address that the server has today."""
    return json.loads(json.dumps(make(value)).replace(BASE, ehr.base))


def observed(trace, key):
    """What the service made of the value: data, none, part or failed."""
    facts = trace["facts"]
    if key == "patient":
        if facts["patient"] is not None:
            return READABLE
        failed = any(gap["source"] == "patient" and gap["kind"] == "unavailable" for gap in trace["gaps"])
        return FAILED if failed else NONE
    if key in facts["unreadable"]:
        return FAILED
    if key in facts["incomplete"]:
        return PART
    found = facts["problems" if key == "conditions" else key]
    return READABLE if found else NONE


def expected(key, meaning):
    """A page that is missing takes nothing from a Patient that was read."""
    if meaning == CONTINUED or (key == "patient" and meaning == PART):
        return READABLE
    return READABLE if meaning == FETCHED else meaning


CARD = {
    ("patient", READABLE): ("vkaDialysisWarningRenewal", ""),
    ("patient", NONE): ("vkaDialysisInfoGap", "age not recorded"),
    ("patient", FAILED): ("vkaDialysisInfoGap", "age not recorded"),
    ("conditions", READABLE): ("vkaDialysisWarningRenewal", ""),
    ("conditions", NONE): (None, ""),
    ("conditions", PART): ("vkaDialysisWarningRenewal", "only in part"),
    ("conditions", FAILED): ("vkaCalciphylaxisInfoGap", "problem list not readable"),
    ("labs", READABLE): ("vkaDialysisWarningRenewal", "58.9 mg2/dL2"),
    ("labs", NONE): ("vkaDialysisInfoRenewal", "Ca x P not evaluable"),
    ("labs", PART): ("vkaDialysisWarningRenewal", "58.9 mg2/dL2"),
    ("labs", FAILED): ("vkaDialysisInfoRenewal", "laboratory results not readable"),
    ("medications", READABLE): ("vkaDialysisWarningRenewal", ""),
    ("medications", NONE): ("vkaDialysisWarning", ""),
    ("medications", PART): ("vkaDialysisWarningRenewal", ""),
    ("medications", FAILED): ("vkaDialysisWarning", "urrent medicines not readable"),
}


def check_card(cards, key, state):
    topic, words = CARD[key, state]
    assert [card["source"]["topic"]["code"] for card in cards] == ([topic] if topic else [])
    assert words in "\n".join(words_of(card) for card in cards)


@pytest.mark.parametrize("key", CORE)
@pytest.mark.parametrize("state", STATES)
def test_state_without_a_server(service, ehr, key, state):
    make, meaning, _ = STATES[state]
    document = call()
    document["prefetch"][key] = sent(make, document["prefetch"][key], ehr)
    trace = service.explain(document)
    want = expected(key, meaning)
    assert observed(trace, key) == want
    if (state, key) != ("bare-resource", "labs"):  # one result makes no product
        check_card(trace["cards"], key, want)
    assert ehr.paths == []


@pytest.mark.parametrize("key", CORE)
@pytest.mark.parametrize("state", STATES)
def test_state_with_a_server(service, ehr, key, state):
    make, _, meaning = STATES[state]
    document = call() | {"fhirServer": ehr.base}
    document["prefetch"][key] = sent(make, document["prefetch"][key], ehr)
    ehr.on(PAGE, fake.json_answer(fake.bundle()))
    trace = service.explain(document)
    want = expected(key, meaning)
    assert observed(trace, key) == want
    if (state, key) != ("bare-resource", "labs"):  # one result makes no product
        check_card(trace["cards"], key, want)
    # Only further pages are asked for; what the EHR has already answered never is.
    followed = meaning == CONTINUED
    assert ehr.paths == (["/fhir" + PAGE] if followed else [])


@pytest.mark.parametrize("key", CORE)
def test_absent_without_a_server(service, ehr, key):
    document = call()
    del document["prefetch"][key]
    trace = service.explain(document)
    assert observed(trace, key) == FAILED
    check_card(trace["cards"], key, FAILED)
    assert ehr.paths == []


@pytest.mark.parametrize("key", CORE)
def test_absent_with_a_server(service, ehr, key):
    document = call() | {"fhirServer": ehr.base}
    del document["prefetch"][key]
    trace = service.explain(document)
    assert observed(trace, key) == READABLE
    check_card(trace["cards"], key, READABLE)
    assert asked(ehr) == {TYPES[key]: 1}


@pytest.mark.parametrize("key", CORE)
def test_absent_and_the_server_refuses(service, ehr, key):
    ehr.on(TYPES[key], fake.status(403))
    document = call() | {"fhirServer": ehr.base}
    del document["prefetch"][key]
    trace = service.explain(document)
    assert observed(trace, key) == FAILED
    check_card(trace["cards"], key, FAILED)


@pytest.mark.parametrize("key", CORE)
def test_absent_and_the_server_is_not_ours_to_call(service, ehr, key):
    document = call() | {"fhirServer": "https://unknown.example/fhir"}
    del document["prefetch"][key]
    trace = service.explain(document)
    assert observed(trace, key) == FAILED
    check_card(trace["cards"], key, FAILED)
    assert ehr.paths == []


@pytest.mark.parametrize("prefetch", [None, {}], ids=["null", "empty"])
def test_no_prefetch_at_all_with_a_server(service, ehr, prefetch):
    complete = service.cards(call())
    document = call() | {"fhirServer": ehr.base, "prefetch": prefetch}
    assert _same(service.cards(document), complete)
    assert asked(ehr) == dict.fromkeys(TYPES.values(), 1)


def test_member_prefetch_missing_with_a_server(service, ehr):
    complete = service.cards(call())
    document = call() | {"fhirServer": ehr.base}
    del document["prefetch"]
    assert _same(service.cards(document), complete)


def test_no_prefetch_and_no_server_is_a_gap(service, ehr):
    document = call()
    del document["prefetch"]
    (card,) = service.cards(document)
    assert card["source"]["topic"]["code"] == "vkaCalciphylaxisInfoGap"


@pytest.mark.parametrize("key", CORE)
def test_unreadable_value_is_asked_for_again(service, ehr, key):
    document = call() | {"fhirServer": ehr.base}
    document["prefetch"][key] = {"resourceType": TYPES[key], "id": {"not": "an id"}}
    trace = service.explain(document)
    assert observed(trace, key) in (READABLE, PART)
    assert asked(ehr) == {TYPES[key]: 1}
    assert trace["dropped"]


@pytest.mark.parametrize("key", CORE)
def test_value_under_a_name_of_the_site(service, ehr, key):
    """Sites name the keys themselves: the content says what a value is."""
    document = call()
    value = document["prefetch"].pop(key)
    document["prefetch"]["siteSpecificName7"] = value
    trace = service.explain(document)
    assert observed(trace, key) == READABLE
    check_card(trace["cards"], key, READABLE)


def test_token_goes_with_every_read(service, ehr):
    document = call() | {
        "fhirServer": ehr.base,
        "fhirAuthorization": {
            "access_token": "token-4711",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.read",
            "subject": "cds",
        },
    }
    del document["prefetch"]
    answer = service.call(document)
    assert answer.status_code == 200
    assert {heard.headers["Authorization"] for heard in ehr.heard} == {"Bearer token-4711"}
    assert "token-4711" not in answer.text
    assert "token-4711" not in json.dumps(service.explain(document))


def _same(cards, others):
    def plain(found):
        return [
            (words_of(card), card["source"], card["indicator"], card["overrideReasons"]) for card in found
        ]

    return plain(cards) == plain(others)
