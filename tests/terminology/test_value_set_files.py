import csv
import json

import pytest
from fhir.resources.R4B.valueset import ValueSet as FhirValueSet

from cds_service.terminology.manifest import folder_problems
from cds_service.terminology.valueset import ValueSetError, group, load_value_set
from hooks import valuesets
from hooks.valuesets import ALL, EXCLUSIONS, FOLDER

TABLES = FOLDER.parent / "terminology"
OTHER_FILES = {"names", "manifest", "shipped_codes"}
FILES = sorted(path for path in FOLDER.glob("*.json") if path.stem not in OTHER_FILES)
with (TABLES / "sets.csv").open(encoding="utf-8") as _file:
    KNOWN = {row["id"]: row["kind"] for row in csv.DictReader(_file)}


def test_the_folder_is_as_it_was_built():
    assert folder_problems(FOLDER) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_is_a_fhir_value_set(path):
    resource = FhirValueSet.model_validate_json(path.read_text(encoding="utf-8"))
    assert resource.id == path.stem
    assert resource.url.endswith("/" + path.stem)


def test_every_file_has_a_constant_of_its_own_name():
    constants = {name: one for name, one in vars(valuesets).items() if isinstance(one, type(ALL[0]))}
    assert {one.id.upper().replace("-", "_"): one.id for one in ALL} == {
        name: one.id for name, one in constants.items()
    }
    assert {one.id for one in ALL} == {each for each, kind in KNOWN.items() if kind != "exclusion"}
    assert {each.value_set.id for each in EXCLUSIONS} == {
        each for each, kind in KNOWN.items() if kind == "exclusion"
    }
    assert {path.stem for path in FILES} == set(KNOWN)


def test_group_ids_are_unique_and_their_members_are_known():
    groups = [
        one
        for one in vars(valuesets).values()
        if isinstance(one, valuesets.group("x", "x", ALL[0]).__class__)
    ]
    ids = [one.id for one in groups]
    assert len(ids) == len(set(ids))
    assert all(one.ids <= {each.id for each in ALL} for one in groups)


def test_titles_of_drugs_fit_on_a_card():
    assert [one.title for one in ALL if KNOWN[one.id] == "drug" and len(one.title) > 30] == []


def test_no_code_ever_shipped_is_gone():
    shipped = json.loads((FOLDER / "shipped_codes.json").read_text(encoding="utf-8"))
    now = {
        (one.id, coding.system, coding.code)
        for one in (*ALL, *(each.value_set for each in EXCLUSIONS))
        for coding in one.codings
    }
    then = {
        (one, system, code)
        for one, systems in shipped.items()
        for system, listed in systems.items()
        for code in listed
    }
    assert then - now == set()


@pytest.mark.parametrize(
    ("in_set", "code"),
    [
        ("mitral-stenosis-rheumatic", "I05.0"),
        ("mitral-stenosis-rheumatic", "I05.2"),
        ("tissue-heart-valve", "Z95.3"),
        ("prosthetic-heart-valve-type-not-coded", "Z95.2"),
        ("dialysis-dependence", "Z99.2"),
        ("end-stage-renal-disease", "N18.6"),
        ("end-stage-renal-disease-snomed", "46177005"),
        ("kidney-transplant-failure", "T86.12"),
        ("kidney-transplant-status", "Z94.0"),
        ("calciphylaxis-snomed-licensed", "237900002"),
        ("calciphylaxis-nonspecific", "E83.59"),
        ("calcium-corrected", "29265-6"),
        ("calcium-corrected", "46099-8"),
        ("ventricular-assist-device", "Z95.811"),
    ],
)
def test_codes_the_rules_stand_on(in_set, code):
    assert [one.id for one in ALL if any(coding.code == code for coding in one.codings)].count(in_set) == 1


@pytest.mark.parametrize(
    ("not_in", "code"),
    [
        ("mitral-stenosis-rheumatic", "I05.1"),
        ("prosthetic-heart-valve-type-not-coded", "Z95.3"),
        ("kidney-transplant-status", "T86.12"),
        ("end-stage-renal-disease", "N18.5"),
        ("end-stage-renal-disease", "I12.0"),
        ("obesity", "E66.3"),
        ("calcium-total", "51950-4"),
        ("phosphate", "48617-5"),
        ("pth-intact", "32045-7"),
        ("heparin", "1362060"),
        ("antiphospholipid-syndrome", "D68.62"),
        ("hypercalcemia", "E83.59"),
    ],
)
def test_codes_that_must_stay_out(not_in, code):
    value_set = next(one for one in ALL if one.id == not_in)
    assert code not in {coding.code for coding in value_set.codings}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("calcium-total", "calcium-corrected"),
        ("calcium-total", "calcium-ionised"),
        ("calcium-total", "calcium-post-dialysis"),
        ("phosphate", "phosphate-post-dialysis"),
        ("pth-intact", "pth-biointact"),
        ("kidney-transplant-status", "kidney-transplant-failure"),
        ("pressure-ulcer", "ulcer-thigh-buttock-calf-abdomen"),
        ("ulcer-ankle-foot", "ulcer-thigh-buttock-calf-abdomen"),
        ("antiphospholipid-syndrome", "antiphospholipid-antibody"),
        ("calciphylaxis-nonspecific", "hungry-bone"),
        ("dialysis-dependence", "end-stage-renal-disease"),
    ],
)
def test_disjoint(one, other):
    codings = {each.id: {(coding.system, coding.code) for coding in each.codings} for each in ALL}
    assert codings[one] & codings[other] == set()


def _write(folder, name, **changes):
    resource = json.loads((FOLDER / "warfarin.json").read_text(encoding="utf-8")) | changes
    path = folder / f"{name}.json"
    path.write_text(json.dumps(resource), encoding="utf-8")
    return path


def test_a_broken_file_names_all_its_problems(tmp_path):
    include = {
        "system": "http://loinc.org",
        "concept": [{"code": "1-1"}, {"code": "1-1"}, {"code": "17861-6", "display": " "}],
    }
    path = _write(tmp_path, "other", title="", resourceType="Basic", compose={"include": [include]})
    with pytest.raises(ValueSetError) as error:
        load_value_set(path)
    for part in (
        "1-1: not a well-formed",
        "17861-6: no display",
        "Basic",
        "id warfarin",
        "title is empty",
        "listed twice",
    ):
        assert part in str(error.value)


def test_a_file_without_codes_or_of_another_shape_is_refused(tmp_path):
    with pytest.raises(ValueSetError, match="no codes"):
        load_value_set(_write(tmp_path, "warfarin", compose={"include": []}))
    with pytest.raises(ValueSetError, match="compose"):
        load_value_set(_write(tmp_path, "warfarin", compose=1))
    with pytest.raises(ValueSetError, match="No such file"):
        load_value_set(tmp_path / "missing.json")


def test_the_manifest_finds_every_difference(tmp_path):
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    assert "missing required field" in folder_problems(tmp_path)[0]
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    files = {
        name: manifest["files"][name]
        for name in ("warfarin.json", "calcitriol.json", "names.json", "shipped_codes.json")
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"files": files}), encoding="utf-8")
    for name in ("warfarin.json", "shipped_codes.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "names.json").write_text("[]", encoding="utf-8")
    (tmp_path / "extra.json").write_text("{}", encoding="utf-8")
    _write(tmp_path, "warfarin", version="")
    found = folder_problems(tmp_path)
    for part in (
        "extra.json: not in",
        "calcitriol.json: missing",
        "warfarin.json: changed",
        "version is empty",
        "names.json: Expected",
    ):
        assert any(part in each for each in found), part
    assert len(found) == 6


def test_value_sets_and_groups():
    warfarin = valuesets.WARFARIN
    assert warfarin.ids == {"warfarin"}
    assert warfarin == load_value_set(FOLDER / "warfarin.json")
    assert len({warfarin, load_value_set(FOLDER / "warfarin.json")}) == 1
    both = group("both", "both", warfarin, valuesets.DOACS)
    assert both.ids == {"warfarin", "apixaban", "rivaroxaban", "dabigatran", "edoxaban"}
    assert "codings" not in repr(both)
    with pytest.raises(ValueError, match="no members"):
        group("none", "none")
