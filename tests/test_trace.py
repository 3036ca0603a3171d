"""The trace of a call: everything that was looked at, with its source and its reason."""

import json

from msgspec.structs import replace
from support.facts import (
    AS_OF,
    calcium,
    condition,
    dose,
    encounter,
    facts,
    medicine,
    phosphate,
    procedure,
    service_request,
)

from cds_service.facts.model import Order
from cds_service.fhir.decode import Dropped
from cds_service.protocol.response import encode
from cds_service.rules.evaluate import Outcome, Result, evaluate
from cds_service.rules.rule import Mode
from cds_service.trace import explain
from hooks.rules.vka_dialysis import RULE

CALL = facts(
    drafts=[medicine("warfarin", id="new"), service_request(text="Skin biopsy", id="s")],
    hook="order-sign",
    conditions=[condition("Z99.2", id="c", display="On dialysis", onsetDateTime="2024-03-02")],
    labs=[calcium(9.6, id="ca"), phosphate(6.1, "mg%", id="p"), calcium(9, effectiveDateTime=None, id="un")],
    medications=[
        medicine(
            rxnorm="197433",
            id="m",
            route="oral",
            authoredOn="2026-01-03",
            dosageInstruction=[dose(2, "tablet")],
        ),
        medicine("aspirin", id="old", status="stopped", authoredOn="2026-10-01"),
        medicine("iron", id="undated", authoredOn=None),
    ],
    procedures=[procedure("302497006", id="hd"), procedure(text="x", performedDateTime=None, id="u")],
    encounters=[encounter()],
    unreadable=["requests"],
    incomplete=["conditions"],
)


def traced(outcomes=(), call=CALL, dropped=()):
    return json.loads(encode(explain(outcomes, call, dropped)))


def test_the_facts_with_their_sources():
    found = traced()["facts"]
    assert (found["asOf"], found["zone"]) == (AS_OF.isoformat(), "UTC")
    assert found["patient"] == {"birthDate": "4 May 1960", "gender": "male", "source": "Patient/p1"}
    assert found["problems"] == [
        {
            "label": "On dialysis (Z99.2)",
            "active": True,
            "verification": None,
            "since": "2 Mar 2024",
            "valueSets": ["dialysis-dependence"],
            "source": "Condition/c",
        }
    ]
    assert [
        (lab["value"], lab["when"], lab["notUsable"], lab["source"]) for lab in found["labs"]["calcium"]
    ] == [
        ("9.6", "10 Nov 2026", None, "Observation/ca"),
        (None, None, "no usable date", "Observation/un"),
    ]
    (phosphate_lab,) = found["labs"]["phosphate"]
    assert phosphate_lab["asSent"] == "6.1 mg%"
    assert phosphate_lab["notUsable"] == "unit not known for this analyte"


def test_medicines_procedures_and_orders():
    found = traced()["facts"]
    assert [(m["name"], m["state"], m["since"], m["ended"], m["route"]) for m in found["medications"]] == [
        ("calcium acetate", "active", "3 Jan 2026", None, "oral"),
        ("aspirin", "ended", "1 Oct 2026", "1 Oct 2026", None),
        ("iron", "active", None, None, None),
    ]
    assert [m["recognisedBy"] for m in found["medications"]] == ["code", "none", "none"]
    assert found["medications"][0]["dailyDose"] == "2 x 667 mg x 1/day"
    assert [(p["label"], p["when"], p["status"]) for p in found["procedures"]] == [
        ("Hemodialysis (procedure) (302497006)", "10 Nov 2026", "completed"),
        ("x", None, "completed"),
    ]
    assert [order["source"] for order in found["orders"]] == ["MedicationRequest/new", "ServiceRequest/s"]
    assert found["orders"][1]["label"] == "Skin biopsy"


def test_what_could_not_be_read_is_null_and_named():
    found = traced()
    assert found["facts"]["requests"] is None
    assert found["facts"]["unreadable"] == {"requests": "not permitted"}
    assert found["facts"]["incomplete"] == ["conditions"]
    assert {"source": "requests", "kind": "unavailable", "text": "not permitted"} in found["gaps"]
    bare = traced(call=facts(patient=None, unreadable=["conditions"]))["facts"]
    assert (bare["patient"], bare["problems"], bare["medications"]) == (None, None, [])
    nameless = traced(call=facts(patient={"resourceType": "Patient", "id": "p1"}))["facts"]["patient"]
    assert (nameless["birthDate"], nameless["gender"]) == (None, None)
    problem = traced(call=facts(conditions=[condition("I10")]))["facts"]["problems"][0]
    assert problem["since"] is None


def test_every_finding_of_every_rule():
    outcome = evaluate(RULE, CALL, Mode.LIVE)
    (shown,) = traced([outcome])["outcomes"]
    assert (shown["rule"], shown["version"], shown["mode"], shown["outcome"]) == (
        *("vka-dialysis", RULE.version, "live", "fires"),
    )
    assert (shown["indicator"], shown["order"], shown["error"]) == ("warning", "MedicationRequest/new", None)
    assert {
        "text": "age 18 years or more",
        "answer": "met",
        "because": "age 66",
        "sources": ["Patient/p1"],
    } in shown["findings"]
    assert all(set(finding) == {"text", "answer", "because", "sources"} for finding in shown["findings"])


def test_only_a_rule_that_fires_has_an_indicator():
    failed = Outcome(RULE, Mode.SHADOW, Result.CANNOT_ASSESS, None, error="abc")
    (shown,) = traced([failed])["outcomes"]
    assert (shown["indicator"], shown["order"], shown["mode"], shown["error"]) == (
        None,
        None,
        "shadow",
        "abc",
    )


def test_a_call_whose_data_were_never_read():
    assert traced(call=None) == {"facts": {}, "outcomes": [], "gaps": [], "dropped": []}


def test_what_was_dropped_is_named_by_its_place():
    lost = Dropped("prefetch[0].entry[3].resource", "Observation", "not valid JSON")
    assert traced(dropped=[lost])["dropped"] == [
        {
            "path": "prefetch[0].entry[3].resource",
            "resourceType": "Observation",
            "reason": "not valid JSON",
        }
    ]


def test_an_order_of_neither_kind_is_left_out():
    assert traced(call=replace(CALL, orders=(Order("Task/1"),)))["facts"]["orders"] == []
