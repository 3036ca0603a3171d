"""The exported FHIR: valid, complete, deterministic, and accepted by a FHIR server."""

import json
import os

import pytest
import requests
from fhir.resources.R4B import get_fhir_model_class
from planting import CONTENT, RULES, SHIPPED, with_vka

from cds_service.api import Review
from cds_service.compose import topic_code
from cds_service.content.fhir_export import fhir_resources, write_fhir
from cds_service.content.words import about_orders

RESOURCES = fhir_resources(SHIPPED)
PLANS = {each["id"]: each for each in RESOURCES if each["resourceType"] == "PlanDefinition"}
VALUE_SETS = {each["url"]: each for each in RESOURCES if each["resourceType"] == "ValueSet"}


def _all(value, key):
    """Every value under `key`, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from _all(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _all(inner, key)


def test_every_resource_is_valid_r4b():
    for resource in RESOURCES:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_nothing_is_empty():
    empty = (None, "", [], {})

    def walk(value):
        assert value not in empty
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    for resource in RESOURCES:
        walk(resource)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    first = {path.name: path.read_bytes() for path in write_fhir(SHIPPED, tmp_path / "a")}
    second = {path.name: path.read_bytes() for path in write_fhir(SHIPPED, tmp_path / "b")}
    assert first == second
    assert len(first) == len(RESOURCES)
    assert json.loads(first["PlanDefinition-vka-dialysis.json"]) == PLANS["vka-dialysis"]


def test_one_plan_for_each_rule_with_its_hooks():
    assert set(PLANS) == set(RULES)
    plan = PLANS["vka-dialysis"]
    assert plan["type"]["coding"][0]["code"] == "eca-rule"
    (action,) = plan["action"]
    assert action["trigger"] == [
        {"type": "named-event", "name": "order-sign"},
        {"type": "named-event", "name": "medication-refill"},
    ]
    assert plan["status"] == "draft"
    assert plan["experimental"] is True


def test_conditions_stand_in_words_and_as_fhirpath():
    conditions = [each["expression"] for each in PLANS["vka-dialysis"]["action"][0]["condition"]]
    by_words = {each["description"]: each for each in conditions}
    age = by_words["age 18 years or more"]
    assert age["expression"] == "%patient.birthDate <= today() - 18 years"
    drug = by_words["an order for vitamin K antagonist"]
    assert "%draft.medication.memberOf('https://" in drug["expression"]
    dialysis = next(words for words in by_words if "maintenance dialysis" in words)
    assert by_words[dialysis]["expression"] == f"%'{dialysis}'"
    assert all(each["language"] == "text/fhirpath" for each in conditions)


def test_every_exclusion_is_a_negated_condition():
    for ident, rule in RULES.items():
        conditions = PLANS[ident]["action"][0]["condition"]
        silent = [*rule.exclusions, *rule.suppressions]
        own = 2 if about_orders(rule) else 1
        assert len(conditions) == own + len(rule.population) + len(rule.criteria) + len(silent)
        negated = [each for each in conditions if each["expression"]["description"].startswith("not: ")]
        assert len(negated) == len(silent)
        assert all(each["expression"]["expression"].endswith(".not()") for each in negated)


def test_tiers_are_actions_with_the_topic_of_their_card():
    for ident, rule in RULES.items():
        tiers = PLANS[ident]["action"][0]["action"]
        wanted = [topic_code(ident, tier.indicator, tier.branch) for tier in rule.tiers]
        assert [tier["code"][0]["coding"][0]["code"] for tier in tiers] == wanted
        for tier, action in zip(rule.tiers, tiers, strict=True):
            assert len(action.get("action", [])) == len(tier.suggestions)


def test_suggestions_only_remove_or_create():
    codes = {
        each["coding"][0]["code"]
        for plan in PLANS.values()
        for tier in plan["action"][0]["action"]
        for suggestion in tier.get("action", [])
        for each in [suggestion["type"]]
    }
    assert codes <= {"remove", "create"}


def test_strength_and_certainty_are_extensions_where_r4_allows_them():
    (document,) = [
        each["document"]
        for each in PLANS["vka-calciphylaxis"]["action"][0]["documentation"]
        if "document" in each
    ]
    values = {each["url"].rpartition("/")[2]: each["valueCodeableConcept"] for each in document["extension"]}
    assert values["cqf-strengthOfRecommendation"]["coding"][0]["code"] == "strong"
    assert values["cqf-qualityOfEvidence"]["coding"][0]["code"] == "low"


def test_sources_carry_doi_and_pmid():
    related = PLANS["vka-calciphylaxis"]["relatedArtifact"]
    hayashi = next(each for each in related if each.get("label") == "E3")
    assert hayashi["url"] == "https://doi.org/10.1093/ndt/gfr658"
    assert hayashi["citation"].endswith("doi:10.1093/ndt/gfr658 PMID:22121234")


def test_every_reference_leads_somewhere():
    known = {each["url"] for each in RESOURCES} | {f"{each['url']}|{each['version']}" for each in RESOURCES}
    for resource in RESOURCES:
        references = {
            url for key in ("resource", "library", "valueSet") for url in _flat(_all(resource, key))
        }
        assert references <= known
    for plan in PLANS.values():
        for expression in _all(plan, "expression"):
            if isinstance(expression, str):
                urls = [part.partition("'")[0] for part in expression.split("memberOf('")[1:]]
                assert set(urls) <= set(VALUE_SETS)


def _flat(values):
    for value in values:
        yield from value if isinstance(value, list) else [value]


def test_value_sets_hold_every_code():
    shipped = {each.id: each for each in CONTENT.value_sets}
    exported = {each["id"]: each for each in VALUE_SETS.values()}
    assert set(shipped) <= set(exported)
    for ident, value_set in shipped.items():
        codes = [code for include in exported[ident]["compose"]["include"] for code in include["concept"]]
        assert len(codes) == len(value_set.codings)


def test_the_index_lists_everything_else():
    *others, index = RESOURCES
    assert index["resourceType"] == "Library"
    listed = {each["resource"] for each in index["relatedArtifact"]}
    assert listed == {f"{each['url']}|{each['version']}" for each in others}


def test_a_signed_rule_is_active_and_names_who_checked_it():
    signed = Review("active", "A. Writer", "B. Checker", None, None)
    plan = next(each for each in fhir_resources(with_vka(review=signed)) if each["id"] == "vka-dialysis")
    assert (plan["status"], plan["experimental"]) == ("active", False)
    assert plan["reviewer"] == [{"name": "B. Checker"}]
    assert "reviewer" not in PLANS["vka-dialysis"]


@pytest.mark.hapi
@pytest.mark.skipif("CDS_TEST_HAPI" not in os.environ, reason="CDS_TEST_HAPI names no FHIR server")
def test_a_fhir_server_takes_all_of_it():
    base = os.environ["CDS_TEST_HAPI"].rstrip("/")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Content-Type"] = "application/fhir+json"
        for resource in RESOURCES:
            url = f"{base}/{resource['resourceType']}/{resource['id']}"
            put = session.put(url, data=json.dumps(resource), timeout=60)
            assert put.status_code in (200, 201), put.text
        for ident, plan in PLANS.items():
            stored = session.get(f"{base}/PlanDefinition/{ident}", timeout=60).json()
            stored.pop("meta")
            assert stored == plan
            answer = session.post(
                f"{base}/PlanDefinition/$validate", data=json.dumps(plan), timeout=300
            ).json()
            errors = [
                each["diagnostics"] for each in answer["issue"] if each["severity"] in ("error", "fatal")
            ]
            assert errors == []
