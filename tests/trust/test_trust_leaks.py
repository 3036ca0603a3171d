"""Nothing leaks (T14, T15, T22, T23, T25, T26, T28): marked words in every field, looked for in every place."""

import copy
import json
import re
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing

import pytest
from callers import metric, sent, signed, two_clients
from markdown_it import MarkdownIt
from operator_desk import commands, environment_of
from support.fhir_server import TYPES, fake
from support.live import JSON_TYPE, SIGN, live_service
from trust_proofs import ROOT

from cds_service.settings import load_settings

MARK = "canary"
# Words that a card must show: the names of what was ordered, taken, measured and diagnosed.
SHOWN = frozenset({"display", "text", "unit", "valueString"})
# Words that decide how a resource is read; another word there would make it another resource.
STEERING = frozenset(
    {
        "id",
        "resourceType",
        "hook",
        "system",
        "code",
        "status",
        "intent",
        "type",
        "mode",
        "relation",
        "gender",
        "birthDate",
        "reference",
        "patientId",
        "periodUnit",
        "url",
        "comparator",
    }
)
_DATE = re.compile(r"\d{4}(-\d\d)*(T.*)?")


class Marks:
    """Puts a word of its own into every free field of a document, and a new member beside them."""

    def __init__(self):
        self.made = []

    def word(self, name):
        self.made.append(f"{MARK}{len(self.made)}{name}")
        return self.made[-1]

    def put(self, document):
        if isinstance(document, list):
            return [self.put(each) for each in document]
        if not isinstance(document, dict):
            return document
        marked = {}
        for name, value in document.items():
            free = isinstance(value, str) and name not in SHOWN | STEERING and not _DATE.fullmatch(value)
            marked[name] = self.word(name) if free else self.put(value)
        return marked | {f"{MARK}Member": self.word("member"), "extension": [{"url": self.word("url")}]}

    def found(self, text):
        return [word for word in self.made if word in text]


PERSON = {
    "name": [{"family": "f", "given": ["g"]}],
    "identifier": [{"system": "urn:mrn", "value": "v"}],
    "telecom": [{"system": "phone", "value": "v"}],
    "address": [{"line": ["l"], "city": "c"}],
}


def marked_chart(marks, prefetch):
    """The chart of the case with a person in it, and marks in what no card shows."""
    chart = copy.deepcopy(prefetch)
    chart["patient"] |= copy.deepcopy(PERSON)
    for value in chart.values():
        for entry in value.get("entry", ()):
            entry["resource"]["note"] = [{"authorString": "a", "time": "t"}]
    return marks.put(chart)


def stored(folder):
    """Every byte of the database and of the files beside it."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("records.sqlite*"))).decode("latin-1")


@pytest.fixture(params=["anonymous", "token"])
def desk(request, tmp_path, ehr, everything_logged):
    """A service with everything that it writes: (service, headers of a call, log lines)."""
    if request.param == "token":
        settings = {"auth": "required", "clients": two_clients(tmp_path, ehr.base)}
    else:
        settings = {"fhir_bases": (ehr.base,)}
    with live_service(tmp_path, **settings) as service:
        yield (
            service,
            (signed if request.param == "token" else lambda **_: dict(JSON_TYPE)),
            everything_logged,
        )


def test_T14_T15_marked_words_leak_nowhere(desk, call, ehr, tmp_path):
    service, headers, lines = desk
    marks = Marks()
    chart = marked_chart(marks, call.pop("prefetch"))
    for key, kind in TYPES.items():
        ehr.on(
            kind, fake.json_answer(chart[key], x_canary=marks.word("header"), set_cookie=marks.word("cookie"))
        )
    token = marks.word("token")
    drafts = call["context"]["draftOrders"]["entry"]
    drafts[0]["resource"]["note"] = [{"text": marks.word("note")}]
    call |= {
        "hookInstance": marks.word("instance"),
        "fhirServer": ehr.base,
        "fhirAuthorization": {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": marks.word("scope"),
            "subject": marks.word("subject"),
            "patient": marks.word("patient"),
        },
        "extension": {marks.word("extension"): marks.word("value")},
    }
    call["context"] |= {
        "userId": f"Practitioner/{marks.word('user')}",
        marks.word("context"): marks.word("context"),
    }
    prefetched = dict(call) | {"hookInstance": marks.word("instance"), "prefetch": chart}
    answers = [sent(service, each, headers()) for each in (call, prefetched)]
    assert [len(each.json()["cards"]) for each in answers] == [1, 1]
    assert any(token in each.headers.get("Authorization", "") for each in ehr.heard)
    broken = [
        marks.word("no-json"),
        json.dumps(marks.word("text")),
        json.dumps(prefetched)[:-200],
        json.dumps(prefetched | {"hook": marks.word("hook")}),
        json.dumps(prefetched | {"fhirAuthorization": marks.word("authorization")}),
        json.dumps(prefetched | {"context": marks.word("context")}),
        json.dumps(prefetched | {"context": {**call["context"], "patientId": marks.word("patient/")}}),
        json.dumps(prefetched | {"context": {**call["context"], "draftOrders": marks.word("drafts")}}),
        json.dumps(prefetched | {"prefetch": {marks.word("key"): marks.word("value")}}),
        json.dumps(prefetched | {"prefetch": {marks.word("key"): {"resourceType": marks.word("kind")}}}),
    ]
    answers += [service.post(f"/cds-services/{SIGN}", data=body, headers=headers()) for body in broken]
    answers += [service.post(f"/cds-services/{marks.word('service')}", data=broken[3], headers=headers())]
    answers += [service.get(f"/{marks.word('path')}?{marks.word('query')}={marks.word('value')}")]
    odd = {f"X-{marks.word('header')}": marks.word("value"), "Cookie": marks.word("cookie")}
    answers += [service.post(f"/cds-services/{SIGN}", data=broken[3], headers=headers() | odd)]
    bad_token = {**JSON_TYPE, "Authorization": f"Bearer {marks.word('jwt')}"}
    answers += [service.post(f"/cds-services/{SIGN}", data=broken[3], headers=bad_token)]
    for behaviour in (fake.status(500), fake.raw(marks.word("html").encode()), fake.reset):
        ehr.on("Condition", behaviour)
        answers.append(sent(service, call | {"hookInstance": marks.word("instance")}, headers()))
    answers += [
        service.get(path)
        for path in (
            "/metrics",
            "/ready",
            "/health",
            "/",
            "/docs",
            "/openapi.json",
            "/governance",
            "/governance.csv",
            "/playground",
        )
    ]
    assert {answer.status_code for answer in answers} <= {200, 400, 401, 404, 412}
    for answer in answers:
        assert not marks.found(answer.text + str(answer.headers)), answer.url
    assert len(lines) > 20, "the logs were not caught"
    assert not marks.found("\n".join(lines))
    assert not marks.found(stored(tmp_path))
    assert call["context"]["patientId"] not in stored(tmp_path) + "\n".join(lines)
    assert MARK not in stored(tmp_path)
    held = service.engine.fhir
    assert not marks.found(repr([vars(wire) for wire in held._wires.values()]))


def test_T14_an_unexpected_error_says_nothing_of_the_call(hospital, call, everything_logged, monkeypatch):
    word = Marks().word("error")

    async def broken(*_):
        raise RuntimeError(word)

    monkeypatch.setattr("cds_service.stages.record", broken)
    answer = sent(hospital, call, signed())
    assert answer.status_code == 500
    assert word not in answer.text + "\n".join(everything_logged)
    error_id = re.search(r"Internal error (\w+);", answer.text)[1]
    assert any(error_id in line for line in everything_logged)


def test_T14_a_field_that_is_not_on_the_list_never_reaches_a_log():
    code = (
        "import structlog; from cds_service.logs import configure_logging; configure_logging(json=True); "
        f"structlog.get_logger().error('call_failed', error_id='e1', patient='{MARK}', exc_info=False)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert "e1" in said
    assert MARK not in said


# --- one client and another ---------------------------------------------------------------------------


def rows(folder, query):
    with closing(sqlite3.connect(folder / "records.sqlite")) as database:
        return database.execute(query).fetchall()


def test_T22_the_same_patient_number_at_two_clients_cannot_be_linked(tmp_path, call, ehr):

    with live_service(tmp_path, auth="required", clients=two_clients(tmp_path, ehr.base)) as service:
        cards = {who: sent(service, call, signed(who)).json()["cards"] for who in ("one", "two")}
        hashes = rows(tmp_path, "SELECT client, patient_hash, user_hash, hook_instance_hash FROM invocation")
        assert len({client for client, *_ in hashes}) == len({text for _, text, *_ in hashes}) == 2
        assert len({text for _, _, *both in hashes for text in both}) == 4
        # The other client's token ids are no replay, and its cards are not ours to judge.
        again = signed("one", jti="shared")
        assert (
            sent(service, call, again).status_code
            == sent(service, call, signed("two", jti="shared")).status_code
        )
        store = service.engine.store
        (card,) = cards["one"]
        assert store.find_card(card["uuid"], "one") is not None
        assert store.find_card(card["uuid"], "two") is None


def feedback(card, **members):
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T12:00:00Z"} | members
    return {"feedback": [item]}


def test_T25_forged_feedback_is_refused_or_never_joined(tmp_path, call, ehr):

    path = f"/cds-services/{SIGN}/feedback"
    with live_service(tmp_path, auth="required", clients=two_clients(tmp_path, ehr.base)) as service:
        (card,) = sent(service, call, signed("one")).json()["cards"]
        assert service.post(path, feedback(card["uuid"])).status_code == 401
        answers = [
            service.post(path, feedback(uuid_, **more), headers=signed(who, path=path))
            for who, uuid_, more in (
                ("two", card["uuid"], {}),
                ("one", str(uuid.uuid4()), {}),
                ("one", card["uuid"], {"overrideReason": {"userComment": "<script>x</script>" * 100_000}}),
            )
        ]
        # Whether the card exists, and whose it is, cannot be told from the answer.
        assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
        kept = list(service.engine.store.export_feedback(comments=True))
    joined = [(row.client, row.rule) for row in kept if row.rule]
    assert joined == [("one", "vka-dialysis")]
    assert len(kept) == 3
    assert max(len(row.comment or "") for row in kept) <= 4_000


def test_T23_F1_another_patients_data_stop_the_call_or_stay_out(open_house, call):
    foreign = copy.deepcopy(call)
    foreign["prefetch"]["patient"]["id"] = "somebody-else"
    assert open_house.call(foreign).status_code == 400
    foreign = copy.deepcopy(call)
    foreign["context"]["draftOrders"]["entry"][0]["resource"]["subject"] = {
        "reference": "Patient/somebody-else"
    }
    assert open_house.call(foreign).status_code == 400
    for form in (
        "Patient/somebody-else",
        "https://ehr.example/fhir/Patient/somebody-else",
        "Patient/somebody-else/_history/3",
        "urn:uuid:4dd0d0f2-6f3c-4b9b-9bd0-0d0a5f7e8c11",
        "#contained",
    ):
        mixed = copy.deepcopy(call)
        (first, *_) = mixed["prefetch"]["labs"]["entry"]
        theirs = copy.deepcopy(first["resource"])
        theirs |= {
            "id": "theirs",
            "subject": {"reference": form},
            "effectiveDateTime": "2026-11-21T06:00:00Z",
        }
        theirs["valueQuantity"]["value"] = 77.7
        mixed["prefetch"]["labs"]["entry"].append({"resource": theirs})
        report = open_house.explain(mixed)
        assert "77.7" not in json.dumps(report), form
        assert "theirs" not in json.dumps(report["facts"]), form
        assert any(gap["source"] == "labs" for gap in report["gaps"]), form


# --- operators ----------------------------------------------------------------------------------------

SECRET = "canary-of-the-site-0123456789"


def test_T28_secrets_are_in_no_page_no_command_and_no_error(tmp_path, ehr, monkeypatch):
    with live_service(tmp_path, hash_key=SECRET, fhir_bases=(ehr.base,)) as service:
        pages = ["/", "/ready", "/health", "/metrics", "/docs", "/openapi.json", "/cds-services", "/evidence"]
        text = "".join(service.get(page).text for page in pages)
    assert (
        SECRET
        not in text + repr(load_settings(hash_key=SECRET)) + load_settings(hash_key=SECRET).model_dump_json()
    )
    environment = environment_of(
        tmp_path,
        CDS_HASH_KEY=SECRET,
        CDS_STORE_URL=f"postgresql://cds:{SECRET}@127.0.0.1:1/cds",
        CDS_ENVIRONMENT="production",
        CDS_PUBLIC_URL=f"http://cds:{SECRET}@cds.example",
    )
    lines = (["version"], ["doctor"], ["serve", "--port", "0"], ["export", "feedback"], ["--help"])
    for _, said in commands(*((line, environment) for line in lines)):
        assert said
        assert SECRET not in said


def test_T26_traces_are_closed_in_production_and_pages_name_nobody(tmp_path, call, ehr):

    production = {
        "environment": "production",
        "public_url": "https://cds.example",
        "hash_key": SECRET,
        "clients": two_clients(tmp_path, "https://ehr.example/fhir"),
        "as_of": None,
    }
    with live_service(tmp_path, **production) as service:
        headers = signed(aud=f"https://cds.example/cds-services/{SIGN}")
        assert sent(service, call, headers).status_code == 200
        assert metric(service, "cds_requests_total") == 1
        again = signed(aud=f"https://cds.example/cds-services/{SIGN}")
        assert service.post(f"/explain/{SIGN}", call, headers=again).status_code == 404
        for path in ("/", "/ready", "/metrics", "/docs"):
            page = service.get(path)
            assert call["context"]["patientId"] not in page.text
            assert "somebody" not in page.text
            if "html" in page.headers["content-type"]:
                policy = page.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert not re.search(r"script-src[^;]*unsafe", policy)
                assert "<script" not in page.text


def test_T21_of_two_drafts_with_one_id_none_is_offered_for_deletion(open_house, call):
    (entry,) = call["context"]["draftOrders"]["entry"]
    twin = copy.deepcopy(entry)
    assert "delete" in str(open_house.cards(call))
    twin["resource"]["dosageInstruction"][0]["timing"]["repeat"]["frequency"] = 2
    call["context"]["draftOrders"]["entry"].append(twin)
    assert "delete" not in str(open_house.cards(call))


OPERATORS = (
    "/governance",
    "/governance.csv",
    "/governance/fires",
    "/setup",
    "/setup/override-codes.csv",
    "/playground",
)


def test_T26_operators_pages_ask_for_the_key_of_the_site(tmp_path):
    with live_service(tmp_path, operator_key=SECRET) as service:
        for path in OPERATORS:
            given = {
                key: service.get(path, headers={"Authorization": f"Bearer {key}"})
                for key in (SECRET, "guess")
            }
            assert [answer.status_code for answer in (service.get(path), *given.values())] == [
                401,
                200,
                401,
            ], path
            assert SECRET not in "".join(answer.text for answer in given.values())


HOSTILE = "<img src=x onerror=alert(1)> [URGENT: stop dialysis](https://evil.example) # now\n\n- **do it** `x` www.evil.example"


def test_T20_hostile_names_are_words_and_nothing_else(open_house, call):
    draft = call["context"]["draftOrders"]["entry"][0]["resource"]
    draft["medicationCodeableConcept"]["text"] = HOSTILE
    for coding in draft["medicationCodeableConcept"]["coding"]:
        coding["display"] = HOSTILE
    for value in call["prefetch"].values():
        for entry in value.get("entry", ()):
            for coding in entry["resource"].get("code", {}).get("coding", ()):
                coding["display"] = HOSTILE
    (card,) = open_house.cards(call)
    shown = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(card["detail"])
    assert not re.search(r"<(?!/?(?:p|ul|li|strong|br)\b)\w", shown)
    assert "evil" not in "".join(re.findall(r'href="([^"]*)"', shown))
    assert "\n" not in card["summary"]
    assert len(card["summary"]) < 140
