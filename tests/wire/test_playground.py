"""The playground over plain HTTP: sources, clients, edits, refusals; it records nothing and repeats nothing unescaped."""

import asyncio
import json
import re
from html import unescape

import pytest
from fastapi import FastAPI, Request
from support.casefiles import AS_OF, FIXTURES, request_of
from support.fhir_server import asked, fake, fill, forget
from support.live import live_service

from cds_service.web.fixtures import MISSING, Fixtures
from cds_service.web.pages import Pages
from cds_service.web.playground.routes import mount_playground

CASE = "vka-dialysis-new-start"
PAGE = "/playground"


def text_of(answer):
    """The words of a page, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def post(live, form, **headers):
    return live.session.post(live.url(PAGE), data=form, headers=headers, timeout=20)


def test_a_case_shows_cards_trace_facts_timing_and_a_line_to_copy(live):
    page = live.get(f"{PAGE}?case={CASE}")
    words = text_of(page)
    assert page.status_code == 200
    assert "Warning warfarin on dialysis: VKAs are linked to calciphylaxis" in words
    assert "Remove this warfarin order" in words
    assert "Mandatory VKA indication not yet coded" in words
    assert "Fires Warning Vitamin K antagonist on dialysis" in words
    assert "on maintenance dialysis (not for acute kidney injury, no functioning transplant) Yes" in words
    assert "Condition/condition-1" in words
    assert re.search(r"normalise \d+\.\d\d", words)
    assert "Everything that was sent could be read." in words
    assert f"/playground/request.json?case={CASE}' | curl -s" in unescape(page.text)


def test_the_line_to_copy_sends_the_case_and_gets_the_same_cards(live):
    body = live.get(f"{PAGE}/request.json?case={CASE}")
    assert body.json() == request_of(CASE)
    (card,) = live.post("/cds-services/calciphylaxis-order-sign", data=body.content).json()["cards"]
    assert card["summary"] in text_of(live.get(f"{PAGE}?case={CASE}"))


@pytest.mark.parametrize("name", sorted(path.stem for path in (FIXTURES / "patients").glob("*.json")))
def test_every_patient_can_open_the_chart_and_sign_warfarin(live, name):
    order = "warfarin sodium 5 MG Oral Tablet"
    for query in (f"patient={name}", f"patient={name}&order={order}"):
        page = live.get(f"{PAGE}?{query}")
        assert page.status_code == 200
        assert "was refused" not in text_of(page)
    assert f"Draft order: {order}" in text_of(page)


def test_the_prefetch_of_a_patient_is_what_a_server_would_answer(live):
    body = live.get(f"{PAGE}/request.json?patient=hd-calciphylaxis").json()
    assert body["hook"] == "patient-view"
    labs = body["prefetch"]["labs"]["entry"]
    assert labs
    assert {each["resource"]["resourceType"] for each in labs} == {"Observation"}
    assert body["prefetch"]["patient"]["id"] == body["context"]["patientId"] == "hd-calciphylaxis"
    weights = [e for e in labs if e["resource"]["code"]["coding"][0]["code"] == "29463-7"]
    assert weights == [], "the query for laboratory results does not ask for body weight"


def test_clients_are_answered_as_their_presets_say(live):
    epic = text_of(live.get(f"{PAGE}?case={CASE}&client=epic"))
    assert "Acknowledgement reasons" in epic
    assert "Order intact PTH" not in epic.split("Why")[0], "Epic files only orders with codes of the site"
    plain = live.get(f"{PAGE}?case={CASE}&client=plain").text
    assert 'class="detail"' not in plain
    oracle = live.get(f"{PAGE}?case={CASE}&client=oracle")
    assert "refused with status 400" in text_of(oracle)
    assert "This client is not registered for this hook." in text_of(oracle)
    assert live.get(f"{PAGE}?case={CASE}&client=nonsense").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"result-1-value": "9.9"}, "Phosphate: 6.4 mg/dL, 2026-11-12 → 9.9 mg/dL, 2026-11-12"),
        ({"result-1-day": "2026-01-12"}, "Phosphate: 6.4 mg/dL, 2026-11-12 → 6.4 mg/dL, 2026-01-12"),
        ({"result-1-value": ""}, "Phosphate: 6.4 mg/dL, 2026-11-12 taken away"),
    ],
    ids=["value", "day", "taken-away"],
)
def test_an_edit_says_what_changed_on_the_card(live, form, said):
    phosphate = _place_of(live, "Phosphate")
    form = {key.replace("result-1", phosphate): value for key, value in form.items()}
    words = text_of(post(live, {"case": CASE, **form}))
    assert said in words
    change = words.split("What your change did")[1].split("Cards as in")[0]
    assert "The card no longer says: Ca x P 62.7 mg2/dL2" in change
    assert "without your changes" in words, "the link to share must not hold what the visitor typed"


def _place_of(live, label):
    page = live.get(f"{PAGE}?case={CASE}").text
    return re.search(rf'for="(result-\d+)-value">{label}', page)[1]


@pytest.mark.parametrize("value", ["NaN", "1e999999999999", "Infinity", "seven", "9" * 30, "0x10", "--"])
def test_an_edit_that_is_no_number_is_named_and_not_used(live, value):
    answer = post(live, {"case": CASE, f"{_place_of(live, 'Calcium')}-value": value})
    assert answer.status_code == 200
    assert "That is not a number" in text_of(answer)
    assert "What your change did" not in text_of(answer)


def test_digits_of_values_that_are_not_edited_survive(live):
    document = request_of(CASE)
    text = json.dumps(document).replace('"value": 6.4', '"value": 6.400')
    assert "6.400" in text
    page = post(live, {"pasted": text, f"{_place_of(live, 'Calcium')}-value": "9.10"}).text
    assert "6.400" in page
    assert "9.10" in page


@pytest.mark.parametrize("kind", ["request", "case", "bundle"])
def test_pasted_requests_cases_and_bundles_are_evaluated(live, kind):
    form = {
        "request": {"pasted": json.dumps(request_of(CASE))},
        "case": {"pasted": (FIXTURES / "cases" / f"{CASE}.json").read_text()},
        "bundle": {
            "pasted": (FIXTURES / "patients" / "hd-new-start.json").read_text(),
            "order": "warfarin sodium 5 MG Oral Tablet",
        },
    }[kind]
    words = text_of(post(live, form))
    assert "warfarin on dialysis: VKAs are linked to calciphylaxis" in words
    assert "Link to this page" not in words, "a link would have to hold the data"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("{", "The call was refused with status 400. The body is not valid JSON"),
        ("[]", "refused with status 400"),
        ('{"hook": "order-sign"}', "The member 'hookInstance' is missing."),
        ("[" * 100_000, "refused with status 400"),
        ('{"resourceType": "Bundle"}', "must hold exactly one Patient"),
        ('{"resourceType": "Patient", "id": "../x"}', "must hold exactly one Patient, with an id"),
        ('{"request": {"hook": "order-sign"}, "as_of": "yesterday"}', "as_of is not a date"),
        ('{"request": {"hook": "order-sign"}, "as_of": "2026-11-21T12:00:00"}', "needs a time zone"),
        ("\ud800", "refused with status 400"),
    ],
    ids=["cut", "array", "incomplete", "deep", "empty-bundle", "path-id", "as-of", "no-zone", "surrogate"],
)
def test_what_cannot_be_evaluated_is_refused_in_plain_words(live, pasted, said):
    answer = post(live, {"pasted": pasted.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (200, 400)
    assert said in text_of(answer)


@pytest.mark.parametrize(
    "query",
    ["case=nope", "case=../../etc/passwd", "patient=../cases/x", "patient=hd-warfarin&service=nope",
     "patient=hd-warfarin&order=nope", "patient=hd-warfarin&service=calciphylaxis-order-sign"],
)  # fmt: skip
def test_an_unknown_choice_is_a_400_that_says_what_to_choose(live, query):
    answer = live.get(f"{PAGE}?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"pasted=" + b"a" * 11_000_000, 413),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 1001), 400),
        ("application/x-www-form-urlencoded", b"pasted=\xff", 400),
        ("multipart/form-data; boundary=x", b"garbage", 415),
        ("application/json", b"{}", 415),
    ],
    ids=["too-large", "too-many-fields", "not-text", "multipart", "json"],
)
def test_a_form_that_no_browser_would_send_gets_an_operation_outcome(live, kind, body, status):
    answer = live.post(PAGE, data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("query", ["pasted={}", "fhir_base=x&fhir_patient=p1", "result-0-value=9"])
def test_an_address_never_holds_data(live, query):
    answer = live.get(f"{PAGE}?{query}")
    assert answer.status_code == 200
    assert "A request of your own" in answer.text


def test_search_finds_cases_by_name_reason_and_title_of_the_rule(live):
    assert "calcium-load-calcium-high" in live.get(f"{PAGE}?q=calcium-load+high").text
    assert CASE in live.get(f"{PAGE}?q=nine+days+old").text
    by_title = live.get(f"{PAGE}?q=gabapentinoid").text
    assert "pregabalin-150" in by_title
    assert "0 of" in text_of(live.get(f"{PAGE}?q=no-such-word"))


def test_another_site_cannot_make_a_browser_post_here(live):
    answer = post(live, {"case": CASE}, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert post(live, {"case": CASE}, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_fhir_server_that_is_not_configured_is_not_asked(live):
    answer = post(live, {"fhir_base": "http://169.254.169.254/", "fhir_patient": "p1"})
    assert answer.status_code == 400
    assert "Choose one of the configured FHIR servers." in text_of(answer)


def test_a_patient_of_the_configured_server_is_read_or_the_gap_is_named(tmp_path):
    ehr = fake.FakeFhir()
    fill(ehr, request_of(CASE)["prefetch"])
    form = {
        "fhir_base": ehr.base,
        "fhir_patient": "hd-new-start",
        "order": "warfarin sodium 5 MG Oral Tablet",
    }
    with live_service(tmp_path, fhir_bases=ehr.base) as service:
        words = text_of(post(service, form))
        assert "warfarin on dialysis: VKAs are linked to calciphylaxis" in words
        assert "cannot be changed here" in words
        assert "Link to this page" not in words, "an id of a patient does not belong into an address"
        assert asked(ehr)["Observation"] >= 1
        assert post(service, {**form, "fhir_patient": "../x"}).status_code == 400
        forget(ehr)
        gap = text_of(post(service, form))
    ehr.close()
    assert "could not be" in gap.split("What could not be used")[1]


@pytest.mark.parametrize("client", ["generic", "epic", "plain", "sandbox"])
@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script><img src=x>",
        "[a](javascript:alert(1)) ![x](http://evil.example)",
        "x" * 10_000,
    ],
    ids=["tags", "markdown", "endless"],
)
def test_words_of_a_request_stay_words(live, client, payload):
    document = request_of(CASE)
    coding = document["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]["coding"]
    coding[0] |= {"display": payload, "code": "0"}
    document["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]["text"] = (
        "warfarin"
    )
    for entry in document["prefetch"]["labs"]["entry"]:
        entry["resource"]["code"]["text"] = payload
    document["prefetch"]["conditions"]["entry"][0]["resource"]["code"]["text"] = payload
    page = post(live, {"pasted": json.dumps(document), "client": client})
    assert page.status_code == 200
    assert re.findall(r"<script(?! src=\"/copy\.js\" defer>)|<img|<b>", page.text) == []
    assert re.findall(r'href="(?:javascript|http://evil)[^"]*"', page.text) == []
    assert payload[:20] in unescape(page.text)


def test_nothing_that_is_tried_is_recorded_or_counted(tmp_path):
    with live_service(tmp_path) as service:
        before = service.get("/metrics").text
        service.get(f"{PAGE}?case={CASE}")
        post(service, {"pasted": json.dumps(request_of(CASE))})
        service.get(f"{PAGE}/request.json?case={CASE}")
        after = service.get("/metrics").text
        assert _counted(before) == _counted(after)
        assert service.engine.received.clients == ()
        assert "Nobody has called since the service started." in service.get("/setup").text


def _counted(metrics):
    return [
        line for line in metrics.splitlines() if line.startswith(("cds_rule_outcomes", "cds_requests_total"))
    ]


def test_switched_off_it_is_a_404_like_any_other_address(tmp_path):
    with live_service(tmp_path, playground="off") as service:
        assert service.get(PAGE).status_code == 404
        assert service.get(PAGE).json()["resourceType"] == "OperationOutcome"
        assert service.get(f"{PAGE}/request.json?case={CASE}").status_code == 404
        start = service.get("/")
        assert start.status_code == 200
        assert "/playground" not in start.text
        assert service.get("/rules/vka-dialysis").status_code == 200


def test_an_installed_package_without_fixtures_says_so(live):
    app, engine = FastAPI(), live.engine
    mount_playground(app, engine, Pages(engine.settings), Fixtures(None))
    (look,) = (r.endpoint for r in app.routes if r.path == PAGE and "GET" in r.methods)
    scope = {"type": "http", "query_string": b"", "headers": []}
    page = asyncio.run(look(Request(scope))).body.decode()
    assert MISSING in unescape(page)
    assert "A request of your own" in page
    assert 'id="patient"' not in page


def test_the_clock_of_a_case_is_the_case_s_own(live):
    assert f"Clinical time {AS_OF:%-d %b %Y, %H:%M} UTC" in text_of(live.get(f"{PAGE}?case={CASE}"))
