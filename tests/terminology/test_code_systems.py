import csv

import pytest

from cds_service.terminology import codes
from cds_service.terminology.codes import Coding, normalise_ndc, normalise_system, problem_with
from hooks import valuesets
from hooks.valuesets import ALL, EXCLUSIONS


@pytest.mark.parametrize(
    ("form", "canonical"),
    [
        ("http://www.nlm.nih.gov/research/umls/rxnorm", codes.RXNORM),
        ("https://www.nlm.nih.gov/research/umls/rxnorm/", codes.RXNORM),
        ("urn:oid:2.16.840.1.113883.6.88", codes.RXNORM),
        ("2.16.840.1.113883.6.88", codes.RXNORM),
        ("urn:oid:2.16.840.1.113883.6.96", codes.SNOMED),
        ("urn:oid:2.16.840.1.113883.6.1", codes.LOINC),
        ("https://loinc.org", codes.LOINC),
        ("urn:oid:2.16.840.1.113883.6.90", codes.ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.3", codes.ICD10),
        ("urn:oid:2.16.840.1.113883.6.69", codes.NDC),
        ("urn:oid:2.16.840.1.113883.6.103", codes.ICD9CM),
        ("http://terminology.hl7.org/CodeSystem/icd9cm", codes.ICD9CM),
        ("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", codes.HCPCS),
        ("https://www.cms.gov/Medicare/Coding/MedHCPCSGenInfo", codes.HCPCS),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("", None),
        (None, None),
    ],
)
def test_a_system_arrives_in_many_forms(form, canonical):
    assert normalise_system(form) == canonical


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0093-1712-01", "00093171201"),
        ("00093-171-01", "00093017101"),
        ("00093-1712-1", "00093171201"),
        ("00093-1712-01", "00093171201"),
        ("00093171201", "00093171201"),
        (" 00093171201 ", "00093171201"),
        ("0093171201", None),  # ten digits may be three different packages
        ("123-45-6", None),
        ("warfarin", None),
        ("", None),
        ("٠٠٠٩٣١٧١٢٠١", None),
    ],
)
def test_ndc_forms(code, expected):
    assert normalise_ndc(code) == expected


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (codes.LOINC, "17861-7"),
        (codes.LOINC, "178616"),
        (codes.LOINC, "-1"),
        (codes.LOINC, "17861-66"),
        (codes.SNOMED, "46177004"),
        (codes.SNOMED, "12345"),
        (codes.SNOMED, "046177005"),
        (codes.ICD10CM, "N186"),
        (codes.ICD10CM, "n18.6"),
        (codes.RXNORM, "0855332"),
        (codes.RXNORM, "85a"),
        (codes.NDC, "0093-1712-01"),
        (codes.ATC, "B01AA3"),
        (codes.HCPCS, "D0120"),
        (codes.ICD10PCS, "5A1D70"),
        ("http://www.ama-assn.org/go/cpt", "90935"),
    ],
)
def test_a_malformed_code_is_named(system, code):
    assert code in (problem_with(Coding(system, code, "some words")) or "")


def test_the_deprecated_inr_code_passes_with_its_published_check_digit():
    assert problem_with(Coding(codes.LOINC, "5895-7", "INR")) is None


def test_words_are_required():
    assert problem_with(Coding(codes.LOINC, "17861-6", " ")) == "17861-6: no display"


def test_every_shipped_code_is_well_formed():
    every = [*ALL, *(each.value_set for each in EXCLUSIONS)]
    assert [problem for one in every for coding in one.codings if (problem := problem_with(coding))] == []


def test_nothing_licensed_is_shipped():
    systems = {coding.system for one in ALL for coding in one.codings}
    assert not any("ama-assn" in system for system in systems)
    tables = valuesets.FOLDER.parent / "terminology"
    with (tables / "conditions.csv").open(encoding="utf-8") as file:
        outside = [row for row in csv.DictReader(file) if "needs a SNOMED CT licence" in row["note"]]
    assert len(outside) == 24
    assert all(row["value_set"].endswith("-snomed-licensed") for row in outside)
