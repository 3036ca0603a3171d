"""The OpenAPI document holds what is true: its schemas fit what goes over the wire, its examples work as they stand.

Run as a script, with the folder `tests` on PYTHONPATH, it writes the examples anew.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import jsonschema
import pytest
from support.casefiles import CASES, FIXTURES, read_case, request_of, without_uuids
from support.live import SIGN, live_service

from cds_service.openapi import EXAMPLES
from cds_service.openapi_schemas import CARDS, FEEDBACK, OUTCOME, REQUEST, SERVICES, TRACE

FILE = FIXTURES.parent / "cds_service" / "openapi_examples.json"
TWIN = FIXTURES / "quirks" / "twins" / "sign-warfarin.json"
PATH = f"/cds-services/{SIGN}"
# Fixed, so that the file changes only when an answer does.
UUID = "00000000-0000-4000-8000-{:012d}"


def valid(document, schema):
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)


def numbered(document):
    """The document with its uuids counted through, each kept the same wherever it stands."""
    text = json.dumps(document)
    seen = dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    for number, found in enumerate(seen, 1):
        text = text.replace(found, UUID.format(number))
    return json.loads(text)


def written(live):
    """What the file must hold: a call, its answer, feedback on it in both spellings, and a refusal."""
    call = json.loads(TWIN.read_bytes())["request"]
    answer = live.call(call)
    cards = numbered(answer.json())
    (card,) = cards["cards"]
    reason = {name: card["overrideReasons"][0][name] for name in ("system", "code")}
    overridden = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-21T12:00:05Z"}
    accepted = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-11-21T12:00:09Z",
    }
    items = [
        overridden | {"overrideReason": {"reason": reason, "userComment": "discussed on the round"}},
        overridden
        | {
            "overrideReasons": [{"reason": {"code": reason["code"]}}],
            "outcomeTimestamp": "2026-11-21T12:00:07Z",
        },
        accepted,
    ]
    withheld = json.loads(json.dumps(call))
    del withheld["context"]["draftOrders"]
    refusal = live.call(withheld).json()
    return {"call": call, "cards": cards, "feedback": {"feedback": items}, "refusal": refusal}


def test_the_examples_are_what_the_service_says(live):
    assert written(live) == EXAMPLES, f"run {__file__} to write them"
    assert live.post(f"{PATH}/feedback", EXAMPLES["feedback"]).status_code == 200


@pytest.mark.parametrize(
    ("name", "schema"), [("call", REQUEST), ("cards", CARDS), ("feedback", FEEDBACK), ("refusal", OUTCOME)]
)
def test_the_examples_fit_their_schemas(name, schema):
    valid(EXAMPLES[name], schema)


@pytest.mark.parametrize("path", CASES[::9], ids=lambda path: path.stem)
def test_calls_answers_and_traces_fit_their_schemas(live, path):
    case = read_case(path)
    document = json.loads(bytes(case.request))
    valid(document, REQUEST)
    answer = live.call(document, case.service)
    valid(answer.json(), CARDS if answer.status_code == 200 else OUTCOME)
    if answer.status_code == 200:
        trace = live.explain(document, case.service)
        valid(trace, TRACE)
        assert without_uuids(trace["cards"]) == without_uuids(answer.json()["cards"])


def test_discovery_and_refusals_fit_their_schemas(live):
    valid(live.get("/cds-services").json(), SERVICES)
    for data in (b"", b"[]", b"{", b'{"hook": "order-sign"}'):
        valid(live.post(PATH, data=data).json(), OUTCOME)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("uuid"),
        lambda card: card.update(summary="x" * 140),
        lambda card: card.update(indicator="hard-stop"),
        lambda card: card.update(suggestions=[]),
        lambda card: card.pop("selectionBehavior"),
        lambda card: card.update(more=1),
        lambda card: card["suggestions"][0]["actions"][0].update(type="update"),
    ],
)
def test_the_schema_of_cards_refuses_what_must_not_be_sent(change):
    cards = json.loads(json.dumps(EXAMPLES["cards"]))
    change(cards["cards"][0])
    with pytest.raises(jsonschema.ValidationError):
        valid(cards, CARDS)


def test_the_document_holds_schemas_examples_and_every_status(live):
    paths = live.get("/openapi.json").json()["paths"]
    call = paths["/cds-services/{service_id}"]["post"]
    assert (
        call["requestBody"]["content"]["application/json"]["examples"]["warfarin"]["value"]
        == EXAMPLES["call"]
    )
    assert {"200", "400", "401", "404", "408", "412", "413", "415", "429", "500", "503"} <= set(
        call["responses"]
    )
    shown = paths["/cds-services/{service_id}/feedback"]["post"]["requestBody"]["content"]["application/json"]
    assert shown["schema"] == FEEDBACK
    assert request_of("vka-dialysis-new-start")["hook"] in REQUEST["properties"]["hook"]["enum"]


if __name__ == "__main__":
    sys.path.insert(0, str(FIXTURES.parent / "scripts"))
    from make_fixtures import pretty

    with tempfile.TemporaryDirectory() as folder, live_service(Path(folder)) as service:
        FILE.write_text(pretty(written(service)) + "\n", "utf-8")
