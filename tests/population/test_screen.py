"""Screening: agrees with the chart's own call, finds what was planted, and survives interruption and bad files."""

import gzip
import json
import shutil
from collections import Counter

import pytest
from population_support import (
    PATIENTS,
    VIEW,
    call,
    files,
    make_export,
    records,
    screened,
    standings,
    told,
    traced,
    truth,
)

from cds_service.population import run as running

RESULTS = ("patients.ndjson", "patients.csv", "summary.json", "report.html")


@pytest.fixture(scope="module")
def result(export, tmp_path_factory):
    out = tmp_path_factory.mktemp("screened")
    return (*screened(export, out), out)


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in RESULTS)


def test_screening_and_the_charts_own_call_agree_on_every_patient(export, result):
    _, found, _ = result
    by_patient, medications = records(export)
    assert len(found) == len(by_patient) == PATIENTS
    for patient, resources in by_patient.items():
        trace = traced(call(patient, resources, medications), VIEW)
        assert told(found[patient].get("rules", [])) == told(trace["outcomes"]), patient


def test_all_planted_definite_and_probable_evidence_is_found_and_nothing_else(export, result):
    _, found, _ = result
    for patient, item in truth(export).items():
        standing = found[patient]
        if item["expected"]:
            assert (standing["member"], standing["certainty"]) == ("yes", item["expected"]), item
        elif not item["member"]:
            assert standing["member"] == "no", item
        else:
            # Evidence that is not enough: a miss, and the truth says why.
            assert standing["member"] != "yes"
            assert item["why_missed"]


def test_the_summary_adds_up(result):
    summary = result[0].summary
    assert summary.patients == PATIENTS == sum(summary.members.values()) == sum(summary.cohorts.values())
    assert all(sum(outcomes.values()) == PATIENTS for outcomes in summary.rules.values())
    members = summary.members["yes"]
    assert members > 0
    assert sum(summary.certainties.values()) == members
    assert all(sum(states.values()) == members for states in summary.factors.values())
    assert all(sum(bands.values()) == members for bands in summary.ages.values())


def test_the_report_stands_alone_and_names_no_patient(result):
    page = (result[2] / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "KDOQI 2003" in page
    assert "syn-0" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_results_of_patients_are_for_the_owner_only(result):
    assert all((result[2] / name).stat().st_mode & 0o077 == 0 for name in ("patients.ndjson", "patients.csv"))


def test_several_processes_give_the_same_bytes(export, result, tmp_path):
    screened(export, tmp_path, processes=2)
    assert same(tmp_path, result[2])


def test_compressed_files_give_the_same_answers(export, result, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for path in files(export):
        if not path.name.startswith("ground"):
            (packed / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    _, found = screened(packed, tmp_path / "out")
    assert found == result[1]


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(export, result, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_SHARD_BYTES", 1 << 20)
    steps = []

    def interrupt(step):
        steps.append(step)
        if len(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screened(export, tmp_path, tell=interrupt)
    assert not (tmp_path / "patients.ndjson").exists()
    again = []
    screened(export, tmp_path, tell=again.append)
    assert len(again) < len(steps) + len(again)
    reading = [step for step in again if step.step == "Reading"]
    assert reading[0].done == 5, "the four ranges that were read before are not read again"
    assert same(tmp_path, result[2])
    assert not (tmp_path / ".work").exists()


def test_an_interruption_while_judging_is_no_different(export, result, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_SHARD_BYTES", 1 << 20)

    def interrupt(step):
        if step.step == "Judging" and step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screened(export, tmp_path, tell=interrupt)
    again = []
    screened(export, tmp_path, tell=again.append)
    assert {step.step for step in again} == {"Judging"}
    assert same(tmp_path, result[2])


def test_another_source_is_not_taken_for_the_interrupted_one(export, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screened(export, tmp_path / "out", tell=interrupt)
    other = make_export(tmp_path / "other", 6, seed=99)
    _, found = screened(other, tmp_path / "out")
    assert len(found) == 6


# --- bad input ----------------------------------------------------------------------------------------


SMALL = 24


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_export(tmp_path_factory.mktemp("small") / "bulk", SMALL)


@pytest.fixture(scope="module")
def clean(small, tmp_path_factory):
    """The standings of the export before a test damages it."""
    return screened(small, tmp_path_factory.mktemp("clean"))[1]


@pytest.fixture
def broken(small, tmp_path):
    """A copy of the small that a test may damage."""
    copy = tmp_path / "bulk"
    shutil.copytree(small, copy)
    return copy


def troubles(result):
    return {(item.kind.name, item.file, item.types): item for item in result.summary.troubles}


def planted_troubles(small):
    return {path.name for path in files(small, "Observation")}


def lost(result, kind):
    return [item for item in result.summary.troubles if item.kind.name == kind]


def test_a_bad_line_is_named_with_its_number_and_the_rest_is_read(broken, clean, tmp_path):
    path = files(broken, "Condition")[0]
    lines = path.read_text().splitlines()
    lines[6] = lines[6][:60] + "}}} oops"
    path.write_text("\n".join(lines) + "\n")
    found, standing = screened(broken, tmp_path / "out")
    (item,) = lost(found, "NOT_JSON")
    assert (item.file, item.count, item.lines) == (path.name, 1, (7,))
    assert found.troubled
    assert len(standing) == SMALL


def test_the_patient_of_a_bad_line_is_not_called_free_of_it(broken, small, tmp_path):
    """A healthy patient's broken problem might have been the evidence of dialysis."""
    healthy = {ident for ident, item in truth(small).items() if item["group"] == "no-kidney-disease"}
    path = files(broken, "Condition")[0]
    lines = path.read_text().splitlines()
    number, patient = next(
        (n, subject)
        for n, line in enumerate(lines)
        if (subject := json.loads(line)["subject"]["reference"].rpartition("/")[2]) in healthy
    )
    lines[number] = lines[number].replace('"clinicalStatus":', '"clinicalStatus":,')
    path.write_text("\n".join(lines) + "\n")
    _, standing = screened(broken, tmp_path / "out")
    assert standing[patient]["member"] == "unknown"
    assert Counter(item["member"] for item in standing.values())["unknown"] >= 1


def test_a_value_of_the_wrong_type_costs_one_record(broken, small, tmp_path):
    healthy = next(ident for ident, item in truth(small).items() if item["group"] == "no-kidney-disease")
    with files(broken, "Condition")[0].open("a") as stream:
        stream.write(
            '{"resourceType":"Condition","id":"odd","code":{"coding":"Z99.2"},'
            f'"subject":{{"reference":"Patient/{healthy}"}}}}\n'
        )
    found, standing = screened(broken, tmp_path / "out")
    assert any(item.types == ("Condition",) for item in lost(found, "UNUSABLE"))
    assert standing[healthy]["member"] == "unknown"


def test_a_file_that_ends_in_the_middle_is_named_and_leaves_nobody_falsely_clear(broken, clean, tmp_path):
    path = files(broken, "Condition")[0]
    path.write_bytes(path.read_bytes()[:-9000])
    found, standing = screened(broken, tmp_path / "out")
    (item,) = lost(found, "CUT_OFF")
    assert item.file == path.name
    assert item.lines[0] == len(path.read_bytes().splitlines())
    assert not any(one["member"] == "no" for one in standing.values())
    before = {ident for ident, one in clean.items() if one["member"] == "yes"}
    assert {ident for ident, one in standing.items() if one["member"] == "yes"} <= before


def test_a_damaged_archive_is_named_and_read_as_far_as_it_goes(broken, tmp_path):
    path = files(broken, "Observation")[0]
    packed = gzip.compress(path.read_bytes(), 1)
    path.with_name(f"{path.name}.gz").write_bytes(packed[: len(packed) // 2])
    path.unlink()
    manifest = json.loads((broken / "manifest.json").read_text())
    for output in manifest["output"]:
        output["url"] += ".gz" if output["url"] == path.name else ""
    (broken / "manifest.json").write_text(json.dumps(manifest))
    found, standing = screened(broken, tmp_path / "out")
    assert lost(found, "BROKEN_ARCHIVE")[0].file == f"{path.name}.gz"
    assert len(standing) == SMALL


def test_records_of_another_type_are_read_as_what_they_are_and_named(broken, clean, tmp_path):
    """A Condition in the file of Procedures still counts."""
    conditions, procedures = files(broken, "Condition")[0], files(broken, "Procedure")[0]
    with procedures.open("a") as stream:
        stream.write(conditions.read_text())
    conditions.write_text("")
    found, standing = screened(broken, tmp_path / "out")
    (item,) = lost(found, "OTHER_TYPE")
    assert (item.file, item.types) == (procedures.name, ("Condition",))
    assert {ident for ident, one in standing.items() if one["member"] == "yes"} == {
        ident for ident, one in clean.items() if one["member"] == "yes"
    }


@pytest.mark.parametrize("kind", ["Observation", "Encounter", "MedicationRequest", "Condition"])
def test_a_record_that_does_not_say_what_it_is_is_named_although_it_looks_like_the_others(
    broken, tmp_path, kind
):
    path = files(broken, kind)[0]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[0].replace(f'"resourceType":"{kind}",', "")]))
    found, _ = screened(broken, tmp_path / "out")
    (item,) = lost(found, "NO_TYPE")
    assert (item.file, item.lines) == (path.name, (len(lines) + 1,))


def test_a_file_missing_from_the_folder_is_named_and_absence_is_not_concluded(broken, tmp_path):
    path = files(broken, "Condition")[0]
    path.unlink()
    found, standing = screened(broken, tmp_path / "out")
    (item,) = lost(found, "MISSING")
    assert (item.file, item.types) == (path.name, ("Condition",))
    assert Counter(one["member"] for one in standing.values()) == {"unknown": SMALL}


def test_fewer_lines_than_the_manifest_says_are_named(broken, tmp_path):
    path = files(broken, "Procedure")[0]
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]) + "\n")
    found, _ = screened(broken, tmp_path / "out")
    (item,) = lost(found, "SHORT")
    assert (item.file, item.count) == (path.name, 3)


def test_odd_but_sound_files_are_no_trouble(broken, clean, tmp_path):
    """A byte order mark, blank lines and the line ends of another system."""
    path = files(broken, "Condition")[0]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    found, standing = screened(broken, tmp_path / "out")
    assert not [item for item in found.summary.troubles if item.file == path.name]
    assert standing == clean


def test_bytes_that_are_no_text_cost_one_record(broken, clean, tmp_path):
    """In the reference of a line that cannot be read, and in a bad line after a byte order mark."""
    path = files(broken, "Condition")[0]
    with path.open("ab") as stream:
        stream.write(b'{"resourceType":"Condition","subject":{"reference":"Patient/\xa5"}}\n')
        stream.write(b'\xef\xbb\xbf{"resourceType":"Condition",,}\n')
        stream.write(b"\xef\xbb\xbf" * 2 + b'{"resourceType":"Condition"}\n')
    found, standing = screened(broken, tmp_path / "out")
    (item,) = lost(found, "NOT_JSON")
    assert (item.file, item.count) == (path.name, 3)
    assert standing == clean


def test_a_record_of_another_type_after_a_byte_order_mark_is_named(broken, tmp_path):
    path = files(broken, "Procedure")[0]
    path.write_bytes(b"\xef\xbb\xbf" + files(broken, "Condition")[0].read_bytes())
    found, _ = screened(broken, tmp_path / "out")
    (item,) = [item for item in lost(found, "OTHER_TYPE") if item.types == ("Condition",)]
    assert item.lines[0] == 1


def test_a_record_that_names_no_patient_is_counted(broken, tmp_path):
    path = files(broken, "Condition")[0]
    with path.open("a") as stream:
        stream.write('{"resourceType":"Condition","id":"x","code":{"text":"ESRD"}}\n')
        stream.write('{"resourceType":"Condition","id":"y","subject":{"reference":"urn:uuid:1"}}\n')
    found, _ = screened(broken, tmp_path / "out")
    (item,) = lost(found, "NO_PATIENT")
    assert (item.count, item.types) == (2, ("Condition",))


def test_ids_are_no_formulas_in_a_spreadsheet(tmp_path):
    folder = tmp_path / "bulk"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text(
        '{"resourceType":"Patient","id":"-1+2","birthDate":"1960-01-01"}\n'
    )
    screened(folder, tmp_path / "out")
    assert "'-1+2" in (tmp_path / "out" / "patients.csv").read_text()
    assert standings(tmp_path / "out")["-1+2"]["member"] == "unknown"
