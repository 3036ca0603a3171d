"""Bodies made to hurt (T16, T17, T19, T25, F18, F22, F28, F39), over real HTTP.

The service runs in this process, so its work is measured in processor time: a busy machine does not fail a test.
"""

import copy
import gzip
import json
import socket
import time

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from support.live import JSON_TYPE, SIGN

PATH = f"/cds-services/{SIGN}"


def refused(answer, status):
    """An OperationOutcome with this status."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/fhir+json")
    OperationOutcome.model_validate_json(answer.content)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/feedback", f"/explain/{SIGN}"])
def test_T16_sixty_megabytes_are_refused_declared_or_not(live, path):
    refused(live.post(path, data=b" " * 60_000_000), 413)
    refused(live.post(path, data=(b" " * 1_000_000 for _ in range(60))), 413)


def test_T16_stalled_uploads_hold_nobody_up(live, call):
    port = int(live.base.rpartition(":")[2])
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode()
    stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    try:
        for each in stalled:
            each.sendall(head)
        begun = time.perf_counter()
        assert len(live.cards(call)) == 1
        assert live.get("/health").status_code == 200
        assert time.perf_counter() - begun < 3
    finally:
        for each in stalled:
            each.close()


def body_with(call, old, new):
    text = json.dumps(call)
    assert old in text
    return text.replace(old, new, 1).encode()


BOMBS = {
    "deep array": (lambda _: b"[" * 100_000, 400),
    "deep object": (lambda _: b'{"a":' * 100_000, 400),
    "deep extension": (
        lambda call: json.dumps(call).encode()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        400,
    ),
    "not a number": (lambda call: body_with(call, '"value": 9.8', '"value": NaN'), 400),
    "infinity": (lambda call: body_with(call, '"value": 9.8', '"value": Infinity'), 400),
    "byte order mark": (lambda call: b"\xef\xbb\xbf" + json.dumps(call).encode(), 400),
    "lone surrogate": (lambda call: body_with(call, '"order-sign"', '"\\ud800"'), 400),
    "not utf-8": (lambda call: body_with(call, '"order-sign"', '"x"').replace(b'"x"', b'"\xff"'), 400),
    "not utf-8 in a name": (lambda call: json.dumps(call).encode().replace(b"warfarin", b"warf\xffrin"), 412),
    "comment": (lambda call: b"/* */" + json.dumps(call).encode(), 400),
    "two documents": (lambda call: json.dumps(call).encode() * 2, 400),
    "5,000 digits": (lambda call: body_with(call, '"value": 9.8', f'"value": {"9" * 5000}'), 200),
    "1e400": (lambda call: body_with(call, '"value": 9.8', '"value": 1e400'), 200),
    "1e-400": (lambda call: body_with(call, '"value": 9.8', '"value": 1e-400'), 200),
    "exponent of a million": (lambda call: body_with(call, '"value": 9.8', '"value": 1e1000000'), 200),
    "null byte": (lambda call: body_with(call, '"Practitioner/', '"Practitioner/\\u0000'), 200),
    "twice the same key": (lambda call: b'{"hook": "patient-view",' + json.dumps(call).encode()[1:], 200),
}


@pytest.mark.parametrize(("make", "status"), BOMBS.values(), ids=BOMBS)
def test_T17_F18_json_made_to_hurt_is_refused_or_unusable(live, call, make, status):
    begun = time.process_time()
    answer = live.post(PATH, data=make(call))
    assert time.process_time() - begun < 1
    if status != 200:
        refused(answer, status)
        return
    assert answer.status_code == 200
    shown = json.dumps(answer.json())
    assert "999999" not in shown
    assert "1E+4" not in shown
    assert "NaN" not in shown


def test_T17_F18_an_absurd_number_is_unusable_and_the_card_says_so(live, call):
    report = live.post(f"/explain/{SIGN}", data=body_with(call, '"value": 9.8', '"value": 1e400')).json()
    assert "fires" in [each["outcome"] for each in report["outcomes"] if each["rule"] == "vka-dialysis"]
    (calcium,) = report["facts"]["labs"]["calcium"]
    assert calcium["value"] is None
    assert calcium["notUsable"]
    assert "calcium" in report["cards"][0]["detail"].lower()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_T17_a_compressed_body_is_not_unpacked(live, call, encoding):
    body = gzip.compress(json.dumps(call).encode() if encoding == "gzip" else b" " * 10_000_000)
    refused(live.post(PATH, data=body, headers=JSON_TYPE | {"Content-Encoding": encoding}), 415)


def everywhere(document, text, fields=("display", "text", "unit", "code", "reference", "valueString")):
    """The document with this text in every field that is matched against something."""
    if isinstance(document, list):
        return [everywhere(each, text, fields) for each in document]
    if not isinstance(document, dict):
        return document
    changed = {
        name: text if name in fields and isinstance(value, str) else everywhere(value, text, fields)
        for name, value in document.items()
    }
    return changed | ({"text": text} if "coding" in document else {})


EVIL = (
    "a" * 10,
    "1.",
    "1 ",
    "warfarin ",
    "(" * 5,
    "mg/" * 3,
    "a.b-c_d ",
    "\\",
    "2026-",
    "stra\u00dfe ",
    "\u0301",
)


@pytest.mark.parametrize("piece", EVIL)
def test_T19_long_text_is_matched_in_linear_time(live, call, piece):
    taken = []
    for length in (10_000, 40_000):
        hostile = copy.deepcopy(call)
        order = hostile["context"]["draftOrders"]["entry"][0]["resource"]
        subject = order.pop("subject")
        text = piece * (length // len(piece))
        order |= everywhere(order, text) | {"subject": subject, "resourceType": "MedicationRequest"}
        order["dosageInstruction"] = [{"text": text, "patientInstruction": text}]
        order["note"] = [{"text": text}]
        for place in ("conditions", "labs"):
            entries = hostile["prefetch"][place]["entry"]
            for entry in entries:
                own = entry["resource"].pop("subject")
                entry["resource"] = everywhere(entry["resource"], text) | {"subject": own}
        body = json.dumps(hostile, ensure_ascii=False).encode()
        begun = time.process_time()
        answer = live.post(f"/explain/{SIGN}", data=body)
        taken.append(time.process_time() - begun)
        assert answer.status_code == 200
    assert taken[1] < 1
    assert taken[1] < 0.1 or taken[1] < 10 * taken[0]


def history(call, number):
    """The call with this many older results."""
    long = copy.deepcopy(call)
    entries = long["prefetch"]["labs"]["entry"]
    (first, *_) = entries
    for index in range(number):
        older = copy.deepcopy(first["resource"]) | {"id": f"old-{index}", "issued": "2020-01-01T00:00:00Z"}
        older["effectiveDateTime"] = (
            f"20{10 + index % 10}-0{1 + index % 9}-1{index % 10}T0{index % 10}:00:00Z"
        )
        entries.append({"resource": older})
    long["prefetch"]["labs"].pop("total", None)
    return json.dumps(long).encode()


def test_F28_a_very_long_history_is_read_in_time_and_gives_the_same_card(live, call):
    body = history(call, 9_000)
    assert len(body) > 2_000_000
    begun = time.process_time()
    (card,) = live.post(PATH, data=body).json()["cards"]
    assert time.process_time() - begun < 1
    (short,) = live.cards(call)
    assert card["summary"] == short["summary"]


@pytest.mark.parametrize(
    "broken", [5, "x", [], None, {"resource": "x"}, {"resource": {"resourceType": 5}}, {"search": 5}]
)
def test_F27_a_broken_entry_costs_only_itself(live, call, broken):
    for place in ("labs", "conditions", "medications"):
        call["prefetch"][place].setdefault("entry", []).insert(0, broken)
    call["context"]["draftOrders"]["entry"].append(broken)
    assert "vka-dialysis" in live.cards(call)[0]["source"]["label"]


def test_F22_an_order_that_is_not_filled_in_is_no_error(live, call):
    for member in ("medicationCodeableConcept", "dosageInstruction", "authoredOn", "status", "intent"):
        del call["context"]["draftOrders"]["entry"][0]["resource"][member]
        answer = live.call(call)
        assert answer.status_code == 200, member
    assert answer.json() == {"cards": []}
    call["context"]["draftOrders"]["entry"] = []
    assert live.call(call).json() == {"cards": []}


ITEM = {"card": "4dd0d0f2-6f3c-4b9b-9bd0-0d0a5f7e8c11", "outcome": "overridden"}
FEEDBACK = {
    "a batch of a thousand": [ITEM | {"card": f"card-{number}"} for number in range(1000)],
    "the same twice": [ITEM, ITEM],
    "reason as the specification says": [ITEM | {"overrideReason": {"reason": {"code": "x", "system": "y"}}}],
    "reason as another client says": [ITEM | {"overrideReasons": [{"reason": {"code": "x"}}]}],
    "a list of nothing": [ITEM | {"overrideReasons": [None]}],
    "no display": [ITEM | {"overrideReason": {"reason": {"code": "x", "system": "y", "display": None}}}],
    "another zone": [ITEM | {"outcomeTimestamp": "2026-11-21T10:05:31+05:30"}],
    "no zone": [ITEM | {"outcomeTimestamp": "2026-11-21T10:05:31"}],
    "no time": [ITEM],
    "a time that is none": [ITEM | {"outcomeTimestamp": "yesterday"}],
    "accepted": [{"card": "c", "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]}],
    "suggestions as text": [{"card": "c", "outcome": "accepted", "acceptedSuggestions": "s"}],
    "one broken among good ones": [5, ITEM, {"card": None}, {"outcome": "overridden"}],
    "null byte": [ITEM | {"overrideReason": {"userComment": "a\u0000b"}}],
    "a very long comment": [ITEM | {"overrideReason": {"userComment": "x" * 1_000_000}}],
}


@pytest.mark.parametrize("items", FEEDBACK.values(), ids=FEEDBACK)
def test_F39_feedback_in_every_form_is_kept(live, items):
    for _ in range(2):
        answer = live.post(f"{PATH}/feedback", {"feedback": items})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"feedback": 5}', b"[" * 100_000, json.dumps({"feedback": [ITEM] * 1001}).encode()],
)
def test_T25_F39_what_is_no_feedback_is_refused(live, body):
    refused(live.post(f"{PATH}/feedback", data=body), 400)
