"""The synthetic export: the same for the same seed, labelled, and as varied as it says."""

import gzip
import json

import pytest
from population_support import PATIENTS, files, make_export, records, truth

from cds_service.population.synthetic import generate
from cds_service.population.synthetic.faults import FAULTS
from cds_service.population.synthetic.generate import cohort_of_content
from cds_service.settings import SettingsError


def test_the_same_seed_gives_the_same_bytes_in_any_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "RANGE", 20)
    one = make_export(tmp_path / "one", 50, seed=3)
    two = make_export(tmp_path / "two", 50, seed=3, processes=2)
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    assert any(name.startswith("Observation.0001") for name in names)
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)


def test_another_seed_gives_other_patients(tmp_path, export):
    other = make_export(tmp_path / "other", 20, seed=12)
    assert records(other)[0]["syn-000003"] != records(export)[0]["syn-000003"]


def test_a_patient_is_the_same_in_a_larger_cohort(tmp_path, export):
    small = make_export(tmp_path / "small", 5)
    assert records(small)[0]["syn-000004"] == records(export)[0]["syn-000004"]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.6, 1.0])
def test_a_hospital_may_have_any_share_of_dialysis_patients(tmp_path, share):
    few = make_export(tmp_path / "few", 150, members=share)
    found = [item["member"] for item in truth(few).values()]
    assert sum(found) == pytest.approx(share * 150, abs=14)
    assert f"--members {share}" in json.loads((few / "manifest.json").read_text())["request"]


def test_another_share_of_members_leaves_the_groups_in_proportion():
    cohort = cohort_of_content()
    other = cohort.with_members(0.5)
    for member in (True, False):
        before, after = (
            [item.share for item in each.groups if item.member is member] for each in (cohort, other)
        )
        assert sum(after) == pytest.approx(0.5)
        assert [share / sum(after) for share in after] == pytest.approx(
            [share / sum(before) for share in before]
        )


def test_compressed_files_hold_the_same_lines(tmp_path):
    plain, packed = make_export(tmp_path / "plain", 10), make_export(tmp_path / "packed", 10, compress=True)
    for path in files(plain):
        if not path.name.startswith("ground"):
            assert gzip.decompress((packed / f"{path.name}.gz").read_bytes()) == path.read_bytes()


def test_every_resource_is_labelled_as_test_data(export):
    for path in files(export):
        if path.name.startswith("ground"):
            continue
        for line in path.read_text().splitlines():
            assert json.loads(line)["meta"]["security"][0]["code"] == "HTEST"


def test_the_manifest_counts_every_file_and_does_not_list_the_truth(export):
    manifest = json.loads((export / "manifest.json").read_text())
    counted = {item["url"]: item["count"] for item in manifest["output"]}
    assert counted == {
        path.name: len(path.read_bytes().splitlines())
        for path in files(export)
        if not path.name.startswith("ground")
    }


def test_the_truth_is_in_a_file_of_its_own_and_in_no_resource(export):
    found = truth(export)
    assert len(found) == PATIENTS
    assert {item["member"] for item in found.values()} == {True, False}
    assert not any(
        "evidence" in line for path in files(export, "Condition") for line in path.read_text().splitlines()
    )


def test_every_form_of_evidence_and_every_fault_is_planted(tmp_path):
    """In a cohort large enough; what is never planted would never be tested."""
    cohort = cohort_of_content()
    found = truth(make_export(tmp_path / "large", 900, seed=5))
    planted = {name for item in found.values() for name in item["planted"]}
    assert planted >= {*cohort.faults} - {"wrong-type"}
    assert FAULTS.keys() >= cohort.faults.keys() - {"drug-reference"}
    forms = {(item["group"], item["evidence"]) for item in found.values()}
    wanted = {
        (group.id, evidence.id)
        for group in cohort.groups
        if group.share > 0.01
        for evidence in group.evidence
        if evidence.weight >= 2
    }
    assert wanted <= forms
    gaps = {gap for item in found.values() for gap in item["gaps"]}
    assert gaps == {*cohort.gaps}


def test_results_lie_where_the_cited_medians_say(export):
    """Calcium around 2.20 and phosphate around 1.67 mmol/L (German registry), whatever unit they are sent in."""
    members = {ident for ident, item in truth(export).items() if item["member"]}
    sizes = {"mg/dL": 1, "mg/dl": 1, "mmol/L": None, "mEq/L": 2.0039}
    found = {"calcium": [], "phosphate": []}
    for patient in members:
        for result in records(export)[0][patient].get("Observation", []):
            name, value = result["code"].get("text"), result.get("valueQuantity", {})
            if name in found and value.get("unit") in sizes and result["status"] == "final":
                factor = sizes[value["unit"]] or {"calcium": 4.0078, "phosphate": 3.0974}[name]
                found[name].append(float(value["value"]) * factor)
    middle = {name: sorted(values)[len(values) // 2] for name, values in found.items()}
    assert middle["calcium"] == pytest.approx(2.20 * 4.0078, abs=0.35)
    assert middle["phosphate"] == pytest.approx(1.67 * 3.0974, abs=0.7)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match="not empty"):
        make_export(tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
