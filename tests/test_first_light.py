"""An EHR calls over HTTP: the four calls every release must answer, the other endpoints, and every refusal."""

import gzip
import json

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from support.casefiles import AS_OF, holes, request_of, rule_of, without_uuids, words_of
from support.live import JSON_TYPE, SIGN

PATH = f"/cds-services/{SIGN}"
CANARY = "CANARY-4711-do-not-repeat"
FIVE = {
    "calciphylaxis-order-sign": "order-sign",
    "calciphylaxis-order-select": "order-select",
    "calciphylaxis-patient-view": "patient-view",
    "calciphylaxis-encounter-discharge": "encounter-discharge",
    "calciphylaxis-medication-refill": "medication-refill",
}


@pytest.fixture
def call():
    return request_of("vka-dialysis-new-start")


# --- the four calls -----------------------------------------------------------------------------------


def test_warfarin_on_dialysis_gets_one_card(live, call):
    (card,) = live.cards(call)
    assert card["source"]["topic"]["code"] == "vkaDialysisWarning"
    assert card["indicator"] == "warning"
    for words in (
        "62.7 mg2/dL2",
        "12 Nov 2026",
        "A value below 55 does not exclude",
        "9.8 mg/dL",
        "6.4 mg/dL",
    ):
        assert words in words_of(card)


def test_si_units_give_the_same_card(live, call):
    other = live.cards(request_of("vka-dialysis-new-start-si"))
    same_person = json.loads(json.dumps(other).replace("hd-new-start-si", "hd-new-start"))
    assert without_uuids(same_person) == without_uuids(live.cards(call))


def test_without_results_the_card_says_what_was_not_checked(live):
    (card,) = live.cards(request_of("vka-dialysis-no-labs"))
    assert card["source"]["topic"]["code"] == "vkaDialysisWarning"
    assert "Ca x P not evaluable" in words_of(card)
    assert "No usable Ca, P, albumin and PTH" in words_of(card)


def test_not_on_dialysis_gives_no_card(live):
    answer = live.call(request_of("vka-dialysis-not-on-dialysis"))
    assert answer.status_code == 200
    assert answer.content == b'{"cards":[]}'


def test_the_same_call_twice_differs_in_uuids_alone(live, call):
    first, second = live.cards(call), live.cards(call)
    assert first != second
    assert without_uuids(first) == without_uuids(second)


# --- discovery and operations -------------------------------------------------------------------------


def test_discovery_lists_five_services(live):
    answer = live.get("/cds-services")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    document = answer.json()
    assert list(holes(document)) == []
    assert {entry["id"]: entry["hook"] for entry in document["services"]} == FIVE
    for entry in document["services"]:
        assert entry["title"]
        assert entry["description"]
        assert entry["prefetch"]["patient"] == "Patient/{{context.patientId}}"


def test_health_and_readiness(live):
    assert live.get("/health").json()["status"] == "ok"
    report = live.get("/ready").json()
    assert report["ready"] is True
    assert report["liveRules"] > 0
    assert any("CDS_AS_OF" in note for note in report["notes"])


def test_metrics_count_calls_and_name_no_patient(live, call):
    live.cards(call)
    answer = live.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert SIGN in answer.text
    assert 'outcome="fires"' in answer.text or "fires" in answer.text
    assert "hd-new-start" not in answer.text


def test_explain_says_why_with_sources(live, call):
    trace = live.explain(call)
    fired = {one["rule"]: one for one in trace["outcomes"]}["vka-dialysis"]
    assert (fired["outcome"], fired["indicator"], fired["mode"]) == ("fires", "warning", "live")
    assert any("Condition/condition-1" in finding["sources"] for finding in fired["findings"])
    assert all(finding["text"] and finding["because"] for finding in fired["findings"])
    assert {"facts", "outcomes", "gaps", "dropped", "cards"} <= trace.keys()
    assert without_uuids(trace["cards"]) == without_uuids(live.cards(call))


def test_explaining_is_not_recorded(live, call):
    before = sum(row.count for row in live.engine.store.rule_activity())
    live.explain(call)
    assert sum(row.count for row in live.engine.store.rule_activity()) == before


def test_feedback_is_on_record(live, call):
    (card,) = live.cards(call)
    suggestion = card["suggestions"][0]["uuid"]
    body = {
        "feedback": [
            {
                "card": card["uuid"],
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": suggestion}],
                "outcomeTimestamp": "2026-11-21T12:00:05Z",
            },
            {
                "card": card["uuid"],
                "outcome": "overridden",
                "overrideReason": {
                    "reason": {key: card["overrideReasons"][0][key] for key in ("system", "code")},
                    "userComment": "discussed on the round",
                },
                "outcomeTimestamp": "2026-11-21T12:00:09Z",
            },
        ]
    }
    answer = live.post(f"{PATH}/feedback", body)
    assert answer.status_code == 200
    kept = [row for row in live.engine.store.export_feedback() if row.card == card["uuid"]]
    assert [row.outcome for row in kept] == ["accepted", "overridden"]
    assert {row.rule for row in kept} == {"vka-dialysis"}
    assert kept[0].accepted == ("remove-order",)
    assert kept[1].reason_code == card["overrideReasons"][0]["code"]
    assert kept[1].comment is None


def test_feedback_about_an_unknown_card_is_kept(live):
    body = {"feedback": [{"card": "0b8fb0ba-0000-4000-8000-000000000000", "outcome": "overridden"}]}
    assert live.post(f"{PATH}/feedback", body).status_code == 200


def test_call_is_on_record(live, call):
    (card,) = live.cards(call)
    found = live.engine.store.find_card(card["uuid"])
    assert (found.rule, found.indicator, found.topic) == ("vka-dialysis", "warning", "vkaDialysisWarning")


# --- how it may be called -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/fhir+json"},
        {"Content-Type": "application/json+fhir; charset=UTF-8"},
        {"Content-Type": "nonsense"},
    ],
    ids=["none", "text", "fhir", "old-fhir", "nonsense"],
)
def test_any_content_type_is_read(live, call, headers):
    answer = live.post(PATH, data=json.dumps(call).encode(), headers=headers)
    assert answer.status_code == 200
    assert len(answer.json()["cards"]) == 1
    assert answer.headers["content-type"].startswith("application/json")


def test_unknown_members_are_ignored(live, call):
    call |= {"extension": {"com.example.ehr": {"x": [1, None]}}, "somethingNew": None}
    call["context"]["more"] = {"deep": [{}]}
    assert len(live.cards(call)) == 1


def test_browser_may_ask_first(live):
    headers = {
        "Origin": "http://localhost:8080",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    for path in ("/cds-services", PATH, f"{PATH}/feedback"):
        answer = live.session.options(live.url(path), headers=headers, timeout=20)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] in ("http://localhost:8080", "*")
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()


def test_browser_of_a_stranger_may_not(live):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = live.session.options(live.url(PATH), headers=headers, timeout=20)
    assert "access-control-allow-origin" not in answer.headers


# --- refusals -----------------------------------------------------------------------------------------


def refused(answer, status, *words):
    """An OperationOutcome that says why and repeats nothing of the input."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    outcome = OperationOutcome.model_validate_json(answer.content)
    assert outcome.issue[0].severity in ("error", "fatal")
    text = answer.text
    assert "Traceback" not in text
    assert CANARY not in text
    for word in words:
        assert word in text
    return outcome


def without(document, *path):
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return document


def replaced(document, value, *path):
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"warfarin " + CANARY.encode(),
        b'{"hook": "order-sign", "context": {"patientId": "' + CANARY.encode() + b'"',
        b'["' + CANARY.encode() + b'"]',
        b'"' + CANARY.encode() + b'"',
        b"null",
        b"\xff\xfe{}",
        b'{"hook": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=[
        "empty",
        "words",
        "cut",
        "array",
        "string",
        "null",
        "utf-16",
        "bad-utf-8",
        "deep-array",
        "deep-object",
    ],
)
def test_malformed_body(live, body):
    refused(live.post(PATH, data=body), 400)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_not_a_number_is_no_json(live, call, number):
    body = json.dumps(call).replace('"value": 9.8', f'"value": {number}')
    assert number in body
    refused(live.post(PATH, data=body.encode()), 400)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (("hook",), "hook"),
        (("hookInstance",), "hookInstance"),
        (("context",), "context"),
        (("context", "patientId"), "context.patientId"),
        (("context", "draftOrders"), "context.draftOrders"),
    ],
)
def test_missing_member_is_named(live, call, path, word):
    refused(live.call(without(call, *path)), 400, word)


def test_missing_draft_orders_names_the_cause(live, call):
    refused(live.call(without(call, "context", "draftOrders")), 400, "not registered exactly")


def test_missing_medications_names_the_cause(live):
    refill = without(request_of("refill-warfarin"), "context", "medications")
    refused(
        live.call(refill, "calciphylaxis-medication-refill"), 400, "context.medications", "not registered"
    )


def test_wrong_hook(live, call):
    refused(live.call(replaced(call, CANARY, "hook")), 400, "order-sign")
    refused(live.call(replaced(call, "patient-view", "hook")), 400, "order-sign")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([CANARY], ("hook",)),
        ({"a": CANARY}, ("hookInstance",)),
        (CANARY, ("context",)),
        ([CANARY], ("context", "patientId")),
        (CANARY + "/../Patient", ("context", "patientId")),
        ("", ("context", "patientId")),
        (CANARY, ("prefetch",)),
        ([{"x": CANARY}], ("fhirAuthorization",)),
    ],
)
def test_member_of_the_wrong_form(live, call, value, path):
    refused(live.call(replaced(call, value, *path)), 400)


def test_foreign_patient_in_prefetch(live, call):
    refused(live.call(replaced(call, CANARY, "prefetch", "patient", "id")), 400, "context.patientId")


def test_foreign_draft_order(live, call):
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["subject"] = {"reference": f"Patient/{CANARY}"}
    refused(live.call(call), 400, "another patient")


def test_foreign_resources_in_a_list_are_left_out_and_named(live, call):
    stranger = json.loads(json.dumps(call["prefetch"]["labs"]["entry"][0]))
    stranger["resource"] |= {"id": "stranger", "subject": {"reference": f"Patient/{CANARY}"}}
    stranger["resource"]["valueQuantity"]["value"] = 19.0
    call["prefetch"]["labs"]["entry"].insert(0, stranger)
    trace = live.explain(call)
    assert any(gap["kind"] == "foreign" for gap in trace["gaps"])
    (card,) = live.cards(call)
    assert "62.7 mg2/dL2" in words_of(card)
    assert CANARY not in json.dumps(card)


@pytest.mark.parametrize("path", ["/cds-services/nobody", "/nothing/here", f"/cds-services/{CANARY}"])
def test_unknown_address(live, call, path):
    refused(live.post(path, call), 404)


def test_unknown_page(live):
    refused(live.get(f"/nothing/{CANARY}"), 404)


def test_feedback_for_an_unknown_service(live):
    refused(live.post("/cds-services/nobody/feedback", {"feedback": []}), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("PUT", PATH),
        ("DELETE", PATH),
        ("POST", "/cds-services"),
        ("GET", f"{PATH}/feedback"),
        ("POST", "/health"),
    ],
)
def test_method_not_offered(live, method, path):
    answer = live.session.request(method, live.url(path), timeout=20)
    refused(answer, 405)


def test_dstu2_order(live, call):
    order = {"resourceType": "MedicationOrder", "dateWritten": CANARY, "patient": {"reference": "Patient/x"}}
    call["context"]["draftOrders"]["entry"][0]["resource"] = order
    refused(live.call(call), 412, "DSTU2")
    order["note"] = CANARY  # a string in DSTU2, a list since
    refused(live.call(call), 412)


@pytest.mark.parametrize(
    "drafts",
    [
        {"resourceType": "Bundle", "entry": CANARY},
        {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "MedicationRequest", "status": [CANARY]}}],
        },
        CANARY,
        [{"resourceType": CANARY}],
    ],
    ids=["entry-is-text", "order-of-wrong-form", "text", "array"],
)
def test_unreadable_orders(live, call, drafts):
    refused(live.call(replaced(call, drafts, "context", "draftOrders")), 412)


@pytest.mark.parametrize("hook", ["patient-view", "encounter-discharge"])
def test_nothing_assessable_without_problem_list(live, call, hook):
    document = {"hook": hook, "hookInstance": call["hookInstance"], "context": {"patientId": "hd-new-start"}}
    document["prefetch"] = {"patient": call["prefetch"]["patient"]}
    refused(live.call(document, f"calciphylaxis-{hook}"), 412, "problem list")


def test_body_too_large_by_its_own_word(live):
    limit = live.engine.settings.max_body_bytes
    refused(live.post(PATH, data=b" " * (limit + 1)), 413)


def test_body_too_large_without_saying_so(live):
    piece = b" " * 100_000

    def endless():
        for _ in range(live.engine.settings.max_body_bytes // len(piece) + 2):
            yield piece

    refused(live.post(PATH, data=endless()), 413)


def test_compressed_body(live, call):
    data = gzip.compress(json.dumps(call).encode())
    refused(live.post(PATH, data=data, headers=JSON_TYPE | {"Content-Encoding": "gzip"}), 415)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"feedback": "x"}', b"{}", b'{"feedback": NaN}'])
def test_feedback_that_is_none(live, body):
    refused(live.post(f"{PATH}/feedback", data=body), 400)


def test_explain_refuses_like_the_call(live, call):
    refused(live.post(f"/explain/{SIGN}", without(call, "context")), 400, "context")
    refused(live.post("/explain/nobody", call), 404)


# --- one broken part among good ones ------------------------------------------------------------------


def test_broken_result_among_good_ones(live, call):
    call["prefetch"]["labs"]["entry"].append(
        {"resource": {"resourceType": "Observation", "id": "broken", "valueQuantity": {"value": [CANARY]}}}
    )
    (card,) = live.cards(call)
    assert "62.7 mg2/dL2" in words_of(card)
    trace = live.explain(call)
    assert [lost["path"].rpartition("entry")[2] for lost in trace["dropped"]] == ["[3].resource"]
    assert any(gap["source"] == "labs" and gap["kind"] == "unreadable" for gap in trace["gaps"])
    assert CANARY not in json.dumps(card)


def test_broken_order_among_good_ones(live, call):
    call["context"]["draftOrders"]["entry"].insert(
        0, {"resource": {"resourceType": "MedicationRequest", "id": "broken", "status": {"x": CANARY}}}
    )
    (card,) = live.cards(call)
    assert rule_of(card) == "vka-dialysis"
    trace = live.explain(call)
    assert len(trace["dropped"]) == 1
    assert CANARY not in json.dumps(trace["cards"])


def test_broken_prefetch_value_among_good_ones(live, call):
    call["prefetch"]["medications"] = CANARY
    (card,) = live.cards(call)
    assert "urrent medicines not readable" in words_of(card)


def test_missing_unit_is_said_and_never_guessed(live):
    cards = live.cards(request_of("vitd-unit-missing"))
    assert [card["indicator"] for card in cards] == ["info"]
    assert "unit missing" in words_of(cards[0])
    trace = live.explain(request_of("vitd-unit-missing"))
    judged = {one["rule"]: one["outcome"] for one in trace["outcomes"]}
    assert judged["active-vitd-high-cap"] == "cannot-assess"


def test_clock_stands_still(live):
    assert live.engine.now() == AS_OF
