"""Every case file is one test: the cards in their order, the outcomes of the rules, the words on the cards."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle
from support.casefiles import CASES, PATIENTS, camel, holes, outcomes, read_case, rule_of, run, words_of

ROOT = Path(__file__).resolve().parent.parent
SUMMARY_LIMIT = 139
DETAIL_LIMIT = {"calciphylaxis-patient-view": 3000}
OVERRIDE_LIMIT = SUGGESTION_LIMIT = 6


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path):
    case = read_case(path)
    assert case.case == path.stem
    trace, answer = run(case)
    found = [
        {"rule": rule_of(card), "indicator": card["indicator"], "topic": card["source"]["topic"]["code"]}
        for card in answer["cards"]
    ]
    expected = case.expect["cards"]
    kept = expected[0].keys() if expected else {"rule", "indicator", "topic"}
    assert [{key: card[key] for key in kept} for card in found] == expected, case.why
    judged = outcomes(trace)
    assert {rule: judged.get(rule) for rule in case.expect["outcomes"]} == case.expect["outcomes"], case.why
    words = "\n".join(words_of(card) for card in answer["cards"])
    for text in case.expect.get("says", []):
        assert text in words, case.why
    for text in case.expect.get("neverSays", []):
        assert text.lower() not in words.lower(), case.why
    if "offersRemoval" in case.expect:
        assert _offers_removal(answer) is case.expect["offersRemoval"], case.why
    _check_form(answer, case)


def _offers_removal(answer):
    return any(
        action["type"] == "delete"
        for card in answer["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    )


def _check_form(answer, case):
    """What holds for every answer, whatever it says."""
    assert list(holes(answer)) == []
    assert set(answer) == {"cards"}
    assert len(answer["cards"]) <= 3
    limit = DETAIL_LIMIT.get(case.service, 1200)
    seen = [card["uuid"] for card in answer["cards"]]
    for card in answer["cards"]:
        assert 0 < len(card["summary"]) <= SUMMARY_LIMIT
        assert "\n" not in card["summary"]
        assert len(card["detail"]) <= limit
        assert card["indicator"] in ("info", "warning", "critical")
        topic = card["source"]["topic"]
        assert topic["code"].startswith(camel(rule_of(card)) + card["indicator"].capitalize())
        assert topic["code"].isalnum()
        suggestions = card.get("suggestions", [])
        assert ("selectionBehavior" in card) is bool(suggestions)
        assert len(suggestions) <= SUGGESTION_LIMIT
        reasons = card.get("overrideReasons", [])
        assert len(reasons) <= OVERRIDE_LIMIT
        assert len({reason["code"] for reason in reasons}) == len(reasons)
        seen += [suggestion["uuid"] for suggestion in suggestions]
        for suggestion in suggestions:
            _check_suggestion(suggestion, case)
    assert len(set(seen)) == len(seen)
    assert all(str(uuid.UUID(one)) == one for one in seen)


def _check_suggestion(suggestion, case):
    (action,) = suggestion["actions"]
    assert action["description"] == suggestion["label"]
    if action["type"] == "delete":
        # Only a draft of this very call, never a medicine that is being taken.
        kind, ident = action["resourceId"].split("/")
        assert kind == "MedicationRequest"
        assert f'"{ident}"'.encode() in bytes(case.request)
    else:
        assert action["type"] == "create"
        assert action["resource"]["resourceType"] == "ServiceRequest"
        assert action["resource"]["status"] == "draft"


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_patient_is_complete_and_valid(path):
    bundle = Bundle.model_validate_json(path.read_bytes())
    assert bundle.type == "transaction"
    addresses = set()
    for entry in bundle.entry:
        resource = entry.resource
        address = f"{resource.get_resource_type()}/{resource.id}"
        assert entry.request.method == "PUT"
        assert entry.request.url == address
        assert not resource.id.isdigit()
        addresses.add(address)
    assert len(addresses) == len(bundle.entry)
    assert f"Patient/{path.stem}" in addresses
    assert set(_references(bundle.model_dump())) <= addresses


def _references(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                yield item
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_there_are_patients_for_every_form_of_evidence():
    assert len(PATIENTS) >= 14


def test_files_equal_their_tables():
    script = ROOT / "scripts" / "make_fixtures.py"
    ended = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
