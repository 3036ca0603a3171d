"""Fact sheets and the search for codes, as page and as JSON."""

import pytest
from support.live import live_service

from cds_service.content.source_attributes import source_attributes
from cds_service.facts.model import Patient
from cds_service.registry import load_services

SERVICES = load_services()
RULES = {use.rule.id: use.rule for service in SERVICES for use in service.rules}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_sheet_as_page_and_as_json(live, rule):
    page = live.get(f"/rules/{rule}")
    sheet = live.get(f"/rules/{rule}.json").json()
    assert page.status_code == 200
    assert sheet["id"] == rule
    assert sheet["contentHash"][:16] in page.text
    assert len(sheet["sourceAttributes"]) == 13
    assert sheet["covers"]
    assert sheet["intendedUse"].endswith("It supports a decision and makes none.")
    assert sheet["intendedUse"].split(".")[0] in page.text
    assert all(sheet["sourceAttributes"].values()), "no attribute may be left empty"
    for title in ("Applies to", "Unless", "Known limits", "Review and approval", "Thresholds", "Because"):
        assert sheet["sections"][title]
        assert f">{title}</h2>" in page.text
    for name in sheet["sourceAttributes"]:
        assert name in page.text
    assert "<details>\n&lt;" not in page.text
    assert "&lt;details&gt;" not in page.text, "a fold of the sheet must be a fold of the page"


def test_json_is_what_accept_asks_for(live):
    accept = {"Accept": "application/json"}
    assert live.get("/rules/vka-dialysis", headers=accept).json()["id"] == "vka-dialysis"
    listed = live.get("/rules", headers=accept).json()["rules"]
    assert {each["id"] for each in listed} == set(RULES)
    assert listed == live.get("/rules.json").json()["rules"]
    browsers = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.1"}
    assert live.get("/rules", headers=browsers).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/rules/nope", "/rules/nope.json", "/rules/nope/codes", "/rules/..%2f..%2fetc"]
)
def test_an_unknown_rule_is_a_404(live, path):
    assert live.get(path).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=855332", {"warfarin"}),
        ("code=855332&system=http://www.nlm.nih.gov/research/umls/rxnorm", {"warfarin"}),
        ("code=855332&system=urn:oid:2.16.840.1.113883.6.88", {"warfarin"}),
        ("code=855332&system=http://loinc.org", set()),
        ("code=n18.6", {"esrd"}),
        ("code=N186", {"esrd"}),
        ("code=nonsense", set()),
    ],
)
def test_a_code_is_found_in_its_sets_with_the_rules_that_use_them(live, query, found):
    hits = live.get(f"/rules.json?{query}").json()["codes"]
    sets = {hit["valueSet"] for hit in hits}
    assert bool(sets) == bool(found)
    if "855332" in query and found:
        assert sets == found
        assert "vka-dialysis" in hits[0]["rules"]
    page = live.get(f"/rules?{query}").text
    assert ("is in no list" in page) == (not found)


def test_a_look_alike_is_called_one(live):
    content = SERVICES[0].content
    excluded = content.exclusions[0].value_set
    coding = next(c for c in excluded.codings if c.system.startswith("http://www.nlm"))
    hits = live.get(f"/rules.json?code={coding.code}&system={coding.system}").json()["codes"]
    assert any(hit["lookAlike"] for hit in hits)


def test_codes_page_lists_what_the_sheet_leaves_out(live):
    sheet, codes = live.get("/rules/vka-dialysis").text, live.get("/rules/vka-dialysis/codes").text
    assert "855332" in codes
    assert "855332" not in sheet
    assert '/rules/vka-dialysis/codes"' in sheet


def test_source_attributes_say_what_the_code_reads():
    said = {rule.id: source_attributes(rule, SERVICES[0].content) for rule in RULES.values()}
    uses_sex = {rule for rule, attributes in said.items() if attributes["Sex"].startswith("Yes")}
    assert "dialysis-risk-summary" in uses_sex, "its card counts female sex among the factors"
    assert "sc-injection-calciphylaxis" not in uses_sex
    assert said["vka-dialysis"]["Date of birth"].startswith("Yes"), "the rule is for adults"


def test_race_ethnicity_and_language_are_not_even_read():
    """The sheets say so; a new fact about the patient must change what they say."""
    assert set(Patient.__slots__) == {"birth", "gender", "source"}


def test_sheets_stand_without_the_playground(tmp_path):
    with live_service(tmp_path, playground="off") as service:
        assert "Cases to try" not in service.get("/rules/vka-dialysis").text
