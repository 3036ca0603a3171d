"""`doctor --data`: what a site's data lack, and which rules should wait."""

import json

import pytest
from population_support import engine, files, make_export

from cds_service.population.readiness import examine


def examined(source, tmp_path):
    return examine(
        engine(),
        engine().anonymous,
        source,
        as_of=None,
        work=tmp_path / "work",
        processes=1,
        scheduler=None,
        tell=lambda _: None,
    )


@pytest.fixture(scope="module")
def found(export, tmp_path_factory):
    return examined(export, tmp_path_factory.mktemp("doctor"))


def rewritten(folder, kind, change):
    for path in files(folder, kind):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            change(row)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def verdict(found, rule):
    return next(item for item in found.verdicts if item.rule == rule)


def test_units_and_reasons_are_counted_for_each_analyte(export, found):
    calcium = next(item for item in found.analytes if item.analyte == "calcium")
    rows = [
        json.loads(line) for path in files(export, "Observation") for line in path.read_text().splitlines()
    ]
    mapped = {"17861-6", "2000-8", "49765-1"}
    codes = [
        {c["code"] for part in (row, *row.get("component", [])) for c in part["code"].get("coding", [])}
        for row in rows
        # The generator also plants resources of a wrong type, which count as damage to the file, not as results.
        if isinstance(row["status"], str)
    ]
    assert calcium.results == sum(bool(found & mapped) for found in codes if found)
    assert {row.name for row in calcium.units} >= {"mg/dL", "mmol/L"}
    assert 0.9 < calcium.usable < 1
    assert any("unit" in row.name for row in calcium.reasons)


def test_codes_of_the_sites_own_that_remind_of_an_analyte_come_first(tmp_path):
    export = make_export(tmp_path / "bulk", 40, seed=2)

    def local(row):
        for coding in row["code"].get("coding", []):
            if coding["code"] in ("2777-1", "14879-1", "48641-5"):
                coding.update(system="urn:oid:1.2.3", code="P1", display="Phosphat i.S.")

    rewritten(export, "Observation", local)
    found = examined(export, tmp_path)
    assert (found.unmapped_labs[0].looks_like, found.unmapped_labs[0].name) == (
        "phosphate",
        "urn:oid:1.2.3|P1|Phosphat i.S.",
    )
    waiting = verdict(found, "active-vitd-high-cap")
    assert waiting.verdict == "fix first"
    assert any("phosphate" in reason for reason in waiting.reasons)
    assert verdict(found, "vka-calciphylaxis").verdict == "go"


def test_a_type_that_is_not_exported_holds_up_the_rules_that_need_it(tmp_path):
    export = make_export(tmp_path / "bulk", 20, seed=2)
    for path in files(export, "Condition"):
        path.unlink()
    (export / "manifest.json").unlink()
    found = examined(export, tmp_path)
    assert {item.verdict for item in found.verdicts} == {"fix first"}
    assert "the source holds no Condition" in verdict(found, "vka-dialysis").reasons
    assert not found.ready


def test_shapes_of_orders_and_time_zones_are_told(found):
    shapes = {row.name: row.count for row in found.shapes}
    assert shapes["drug coded in the order"] > shapes["drug contained in the order"] > 0
    assert shapes["drug in a Medication of its own"] > 0
    zones = {row.name.partition("|")[2] for row in found.zones}
    assert {"Z", "+01:00", "-05:00", "time without offset"} <= zones


def test_drugs_that_no_rule_is_about_are_listed_as_not_recognised(found):
    names = " ".join(row.name for row in found.unmapped_drugs)
    assert "metoprolol" in names
    assert "warfarin" not in names
    assert found.drugs["code"] > 0
    assert found.drugs["name"] > 0


def test_every_rule_on_the_chart_and_on_orders_gets_a_verdict(found):
    assert len({item.rule for item in found.verdicts}) == len(found.verdicts) >= 20
    assert {item.verdict for item in found.verdicts} <= {"go", "fix first"}


def test_nothing_of_the_patients_is_left_behind(export, tmp_path):
    examined(export, tmp_path)
    assert not (tmp_path / "work").exists()
