"""Every rule of wording catches what it must, and lets through what the cards need to say."""

import pytest
from planting import CONTENT, SHIPPED

from cds_service.content.check import emitted
from cds_service.content.wording import BANS, violations

FORBIDDEN = [
    ("N1", "The patient has calciphylaxis."),
    ("N1", "This patient does not have calciphylaxis."),
    ("N1", "Calciphylaxis is excluded."),
    ("N1", "Labs are normal: no calciphylaxis."),
    ("N2", "A normal phosphate excludes calciphylaxis."),
    ("N2", "These results confirm the diagnosis."),
    ("N3", "Low risk of calciphylaxis."),
    ("N3", "{drug} is safe on dialysis."),
    ("N3", "The probability is small."),
    ("N3", "One-year survival is 45 %."),
    ("N3", "Risk score of 7."),
    ("N4", "Stop warfarin."),
    ("N4", "Calciphylaxis on record. Discontinue the VKA today."),
    ("N4", "Do not wait; stop {drug}."),
    ("N5", "Switch to apixaban."),
    ("N5", "Consider replacing it: change to a DOAC."),
    ("N5", "Start a DOAC."),
    ("N5", "With a mechanical valve an option is apixaban for the valve."),
    ("N6", "Apixaban 2.5 mg twice daily."),
    ("N6", "Give sodium thiosulfate, usually 25 g after dialysis."),
    ("N6", "Fentanyl 12 micrograms per hour."),
    ("N7", "Treat with sodium thiosulfate."),
    ("N7", "Start a bisphosphonate."),
    ("N7", "Give vitamin K."),
    ("N8", "Withhold insulin."),
    ("N8", "Stop prednisone."),
    ("N8", "Stop denosumab."),
    ("N9", "More often in white patients."),
    ("N9", "Do not use race."),
    ("N10", "No alert means no risk."),
    ("N10", "All clear."),
]
ADMISSIBLE = [
    "Check whether the patient has calciphylaxis.",
    "A value below 55 does not exclude calciphylaxis",
    "Labs and imaging cannot rule calciphylaxis in or out.",
    "A biopsy may be needed to exclude malignancy or vasculitis.",
    "Confirm that the VKA is still needed.",
    "Regulators advise to consider stopping the VKA.",
    "{drug}, {indication}: do not swap to a DOAC. Calciphylaxis risk - watch skin.",
    "{drug} SC with {status} calciphylaxis: do not withhold insulin; rotate sites.",
    "no anticoagulation, LAA occlusion, apixaban where licensed for dialysis",
    "possible mechanism is less vitamin K-dependent inhibition of calcification",
    "Benefit unproven. Check bicarbonate/anion gap, Na, Ca, BP, QTc.",
    "black leathery eschar",
    "Sodium thiosulfate safety checks",
    "about 3.5 per 1,000 HD patient-years: a population figure, not this patient's risk",
    "elemental calcium from binders above 1,500 mg a day",
]


@pytest.mark.parametrize(("ident", "text"), FORBIDDEN)
def test_forbidden_wording_is_caught(ident, text):
    assert ident in {ban.id for ban, _ in violations(text, "calciphylaxis")}


@pytest.mark.parametrize("text", ADMISSIBLE)
def test_admissible_wording_passes(text):
    assert [(ban.id, words) for ban, words in violations(text, "calciphylaxis")] == []


def test_every_pattern_has_an_example():
    """A pattern that no example reaches might be dead."""
    caught = {ban for _, text in FORBIDDEN for ban, _ in violations(text, "calciphylaxis")}
    assert caught == set(BANS)


def test_the_disease_is_that_of_the_content():
    assert violations("The patient has gout.", "gout")
    assert not violations("The patient has gout.", "calciphylaxis")


def test_every_kind_of_text_is_read():
    places = " ".join(place for _, place, _ in emitted(SHIPPED))
    for kind in ("title", "summary", "consider", "why", "exceptions", "suggestion", "when unknown"):
        assert f", {kind}" in places
    for kind in (
        "override reason",
        "common gap 1",
        "catalogue lab.calcium",
        "fill drug, example",
        "code of hooks",
    ):
        assert kind in places
    assert all(content is CONTENT for content, _, _ in emitted(SHIPPED))
