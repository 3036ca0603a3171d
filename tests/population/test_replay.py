"""Replay: agrees with order-sign on every order, sees nothing of the future, and compares rule sets."""

import copy
import json
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from population_support import SIGN, call, engine, make_export, records, told, traced
from support.casefiles import AS_OF, FIXTURES

from cds_service.population.replaying import replay
from cds_service.settings import SettingsError

ORDERS = int(os.environ.get("CDS_TEST_POPULATION", "50"))
DAYS = 365


def replayed(source, out, *, compare=None, processes=1, days=DAYS):
    result = replay(
        engine(),
        engine().anonymous,
        Path(source),
        Path(out),
        as_of=None,
        days=days,
        compare=compare,
        processes=processes,
        scheduler=None,
        tell=lambda _: None,
    )
    lines = (Path(out) / "orders.ndjson").read_text().splitlines()
    return result.burden, [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def result(export, tmp_path_factory):
    return replayed(export, tmp_path_factory.mktemp("replayed"))


# --- the same, worked out by the test from the raw records ---------------------------------------------


def moment(text):
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def known(resource):
    """When a record came to be; None when it does not say."""
    period = resource.get("effectivePeriod", resource.get("performedPeriod", resource.get("period", {})))
    names = {
        "Observation": (resource.get("effectiveDateTime") or period.get("start"), resource.get("issued")),
        "Condition": (resource.get("recordedDate") or resource.get("onsetDateTime"),),
        "MedicationRequest": (resource.get("authoredOn"),),
        "ServiceRequest": (resource.get("authoredOn"),),
        "Procedure": (period.get("start"),),
        "Encounter": (period.get("start"),),
    }
    dates = [moment(text) for text in names[resource["resourceType"]] if text]
    return max(dates) if dates else None


def as_it_was(found, at, signing):
    past = {"Patient": found["Patient"]}
    for kind, resources in found.items():
        if kind == "Patient":
            continue
        past[kind] = []
        for resource in resources:
            when = known(resource)
            if resource["id"] in signing or (when is None and kind == "Observation") or (when and when > at):
                continue
            then = copy.deepcopy(resource)
            ended = kind == "MedicationRequest" and then["status"] in ("stopped", "completed")
            if ended and moment(then["dispenseRequest"]["validityPeriod"]["end"]) > at:
                then["status"] = "active"
            if kind == "Condition" and "abatementDateTime" in then and moment(then["abatementDateTime"]) > at:
                del then["abatementDateTime"]
                then["clinicalStatus"] = "active"
            past[kind].append(then)
    return past


def sessions(found):
    by_time = defaultdict(list)
    for order in found.get("MedicationRequest", []):
        by_time[moment(order["authoredOn"])].append(order)
    return {at: orders for at, orders in by_time.items() if 0 <= (AS_OF - at).days < DAYS}


def test_replay_and_order_sign_agree_on_every_order(export, result):
    _, lines = result
    by_order = {item["order"]: item for item in lines}
    by_patient, medications = records(export)
    compared = 0
    # Orders that a rule speaks about first, so that few orders still compare something.
    speaking = {item["patient"] for item in lines if item.get("rules")}
    for patient in sorted(by_patient, key=lambda ident: (ident not in speaking, ident)):
        for at, orders in sessions(by_patient[patient]).items():
            if compared >= ORDERS:
                break
            drafts = [{**copy.deepcopy(order), "status": "draft"} for order in orders]
            past = as_it_was(by_patient[patient], at, {order["id"] for order in orders})
            trace = traced(call(patient, past, medications, hook="order-sign", drafts=drafts), SIGN, at)
            for order in orders:
                reference = f"MedicationRequest/{order['id']}"
                ours = [item for item in trace["outcomes"] if item["order"] == reference]
                assert told(by_order[reference].get("rules", [])) == told(ours), reference
                compared += 1
            shown = [card["indicator"] for card in trace["cards"]]
            first = f"MedicationRequest/{orders[0]['id']}"
            assert [card["indicator"] for card in by_order[first].get("cards", [])] == shown
    assert compared >= min(ORDERS, len(lines))
    assert any(item.get("cards") for item in lines)


def test_every_signed_order_of_the_period_is_replayed_once(export, result):
    burden, lines = result
    by_patient, _ = records(export)
    wanted = [
        f"MedicationRequest/{order['id']}"
        for found in by_patient.values()
        for at in sessions(found).values()
        for order in at
    ]
    assert sorted(item["order"] for item in lines) == sorted(wanted)
    assert burden.orders == len(wanted)


def test_the_figures_follow_from_the_orders(result):
    burden, lines = result
    cards = sum(len(item.get("cards", [])) for item in lines)
    assert sum(burden.cards.values()) == cards > 0
    assert burden.cards_per_1000_orders == pytest.approx(1000 * cards / len(lines), abs=0.01)
    days = {(item["by"], item["day"]) for item in lines}
    assert burden.clinician_days == len(days)
    assert burden.cards_per_clinician_day == pytest.approx(cards / len(days), abs=0.001)
    assert burden.unsigned == 0


def test_a_diagnosis_of_tomorrow_does_not_reach_an_order_of_today(tmp_path):
    """Warfarin signed on 1 March; dialysis coded on 2 March. The card belongs to the order of 3 March."""
    folder = tmp_path / "bulk"
    folder.mkdir()
    subject = {"reference": "Patient/p"}
    rows = [
        {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"},
        {
            "resourceType": "Condition",
            "id": "c",
            "subject": subject,
            "recordedDate": "2026-03-02",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z99.2"}]},
        },
        *(
            {
                "resourceType": "MedicationRequest",
                "id": name,
                "subject": subject,
                "status": "completed",
                "intent": "order",
                "authoredOn": authored,
                "medicationCodeableConcept": {
                    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "855332"}]
                },
            }
            for name, authored in (("before", "2026-03-01T09:00:00Z"), ("after", "2026-03-03T09:00:00Z"))
        ),
        {
            "resourceType": "Observation",
            "id": "o",
            "subject": subject,
            "status": "final",
            "code": {"text": "x"},
        },
        {
            "resourceType": "Procedure",
            "id": "q",
            "subject": subject,
            "status": "completed",
            "code": {"text": "x"},
        },
        {"resourceType": "Encounter", "id": "e", "subject": subject, "status": "planned"},
    ]
    for row in rows:
        with (folder / f"{row['resourceType']}.ndjson").open("a") as stream:
            stream.write(json.dumps(row) + "\n")
    _, lines = replayed(folder, tmp_path / "out")
    fired = {
        item["order"]: {rule["rule"] for rule in item.get("rules", []) if rule["outcome"] == "fires"}
        for item in lines
    }
    assert fired["MedicationRequest/before"] == set()
    assert "vka-dialysis" in fired["MedicationRequest/after"]


def test_a_higher_threshold_clears_and_softens_and_fires_nothing_new(export, tmp_path):
    site = tmp_path / "site.toml"
    site.write_text("ca_x_p_high = 70\n")
    burden, lines = replayed(export, tmp_path / "out", compare=site)
    assert burden.changes
    assert {item.change for item in burden.changes} <= {"cleared", "changed"}
    for change in burden.changes:
        assert change.orders >= len(change.cases) > 0
        assert {item["order"] for item in lines} >= set(change.cases)


def test_a_rule_switched_off_is_cleared_wherever_it_fired(export, result, tmp_path):
    fired = Counter()
    for item in result[0].rules:
        fired[item.rule] += item.orders if item.outcome == "fires" else 0
    rule, before = fired.most_common(1)[0]
    modes = tmp_path / "modes.json"
    modes.write_text(json.dumps({rule: "off"}))
    burden, _ = replayed(export, tmp_path / "out", compare=modes)
    assert before > 0
    assert [(c.rule, c.change, c.orders) for c in burden.changes] == [(rule, "cleared", before)]


def test_the_same_rule_set_changes_nothing(export, tmp_path):
    modes = tmp_path / "modes.json"
    modes.write_text("{}")
    burden, _ = replayed(export, tmp_path / "out", compare=modes)
    assert burden.changes == []
    assert burden.other_cards == burden.cards


def test_a_second_rule_set_that_cannot_be_read_is_refused(export, tmp_path):
    with pytest.raises(SettingsError, match="neither a site file"):
        replayed(export, tmp_path / "out", compare=tmp_path / "none.toml")


def test_recorded_requests_are_replayed_at_their_own_times(tmp_path):
    source = tmp_path / "requests"
    source.mkdir()
    names = ("vka-dialysis-new-start", "calcium-load-low-calcium", "summary-vka-active")
    for name in names:
        (source / f"{name}.json").write_bytes((FIXTURES / "cases" / f"{name}.json").read_bytes())
    (source / "torn.json").write_text('{"request": ')
    burden, lines = replayed(source, tmp_path / "out")
    assert burden.orders == len(lines) == 2, "the opened chart is no order"
    fired = {item["patient"]: {rule["rule"] for rule in item.get("rules", [])} for item in lines}
    assert "vka-dialysis" in fired["vka-dialysis-new-start"]
    assert [(item.kind.name, item.file) for item in burden.troubles] == [("NOT_JSON", "torn.json")]


def test_more_processes_change_nothing(result, tmp_path):
    small = make_export(tmp_path / "small", 30, seed=4)
    replayed(small, tmp_path / "one")
    replayed(small, tmp_path / "two", processes=2)
    for name in ("orders.ndjson", "burden.json", "replay.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_bytes_that_are_no_text_cost_one_order(tmp_path):
    """An order whose signer cannot be read is left out; the other orders of its patient are replayed."""
    source = make_export(tmp_path / "bulk", 6)
    _, before = replayed(source, tmp_path / "before")
    path = min(source.glob("MedicationRequest.*"))
    patient = before[0]["patient"].encode()
    with path.open("ab") as stream:
        stream.write(
            b'{"resourceType":"MedicationRequest","id":"odd","subject":{"reference":"Patient/'
            + patient
            + b'"},"requester":{"reference":"Practitioner/\xa5"}}\n'
        )
    _, after = replayed(source, tmp_path / "after")
    assert [order["order"] for order in after] == [order["order"] for order in before]
