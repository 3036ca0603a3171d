import csv
import time

import pytest

from cds_service.terminology.codes import ATC, ICD9CM, ICD10, ICD10CM, LOINC, NDC, RXNORM, SNOMED
from cds_service.terminology.index import Terminology
from cds_service.terminology.medication import MAX_TEXT, NameMatcher, Negative, load_names, words
from hooks.valuesets import (
    ACTIVE_VITAMIN_D,
    ALL,
    EXCLUSIONS,
    FOLDER,
    NAMES,
    NUTRITIONAL_VITAMIN_D,
    ORAL_CALCIUM,
    VITAMIN_K_ANTAGONISTS,
    WARFARIN,
)

LICENSED = frozenset(one.id for one in ALL if one.id.endswith("-snomed-licensed"))


def build(off=frozenset()):
    return Terminology(ALL, NAMES.drugs, NAMES.negatives, exclusions=EXCLUSIONS, texts=NAMES.texts, off=off)


TERMINOLOGY = build()


def by_name(*texts):
    return TERMINOLOGY.identify([], texts)


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (RXNORM, "855332", {"warfarin"}),
        (RXNORM, "855334", {"warfarin"}),  # Coumadin, withdrawn
        ("urn:oid:2.16.840.1.113883.6.88", "855332", {"warfarin"}),
        (RXNORM, "309362", set()),
        (RXNORM, "308867", {"calcitriol"}),
        (RXNORM, "388517", set()),  # calcitriol ointment
        (NDC, "00093171201", {"warfarin"}),
        (NDC, "0093-1712-01", {"warfarin"}),
        (NDC, "0093171201", {"warfarin"}),  # ten digits, and every listed reading of them is warfarin
        (NDC, "0000-0000-00", set()),
        (NDC, "none", set()),
        (ATC, "B01AA03", {"warfarin"}),
        (ATC, "B01AA99", {"vitamin-k-antagonist-unspecified"}),
        (ATC, "b01aa03", {"warfarin"}),
        (ATC, "A12AX", {"calcium-unspecified"}),
        (ATC, "A12AX02", {"calcium-unspecified"}),
        (ATC, "A12AA07", {"calcium-parenteral"}),
        (ATC, "H02AB99", {"corticosteroid-unspecified"}),
        (ATC, "B01AB99", {"heparin-unspecified"}),
        (ATC, "A10AE04", {"insulin"}),
        (ATC, "C08CA01", set()),
        (SNOMED, "48603004", {"warfarin"}),
        (ICD10CM, "N18.6", {"end-stage-renal-disease"}),
        (ICD10CM, "n186", {"end-stage-renal-disease"}),
        (ICD10CM, "I10", set()),
        (ICD10, "E83.5", {"calciphylaxis-nonspecific"}),
        (ICD9CM, "5856", {"end-stage-renal-disease"}),
        ("http://terminology.hl7.org/CodeSystem/icd9cm", "585.6", {"end-stage-renal-disease"}),
        (LOINC, "17861-6", {"calcium-total", "lab-order-calcium"}),
        ("urn:oid:1.2.3", "1", set()),
        (None, "1", set()),
        (RXNORM, None, set()),
    ],
)
def test_sets_of(system, code, expected):
    assert TERMINOLOGY.sets_of(system, code) == expected


def test_an_unknown_code_gives_the_same_empty_set():
    assert TERMINOLOGY.sets_of(RXNORM, "1") is TERMINOLOGY.sets_of("urn:x", "y")


def test_display_is_ours():
    assert TERMINOLOGY.display(RXNORM, "308867") == "calcitriol 0.00025 MG Oral Capsule"
    assert TERMINOLOGY.display(RXNORM, "1") is None


def test_the_title_is_that_of_the_first_set():
    assert TERMINOLOGY.title(frozenset({"calcitriol"})) == "calcitriol"
    assert TERMINOLOGY.title(frozenset({"cholecalciferol", "calcium-carbonate"})) == "calcium carbonate"
    assert TERMINOLOGY.title(frozenset()) is None
    assert TERMINOLOGY.title(frozenset({"elsewhere"})) is None


def test_no_look_alike_is_in_the_set_it_resembles():
    for each in EXCLUSIONS:
        for coding in each.value_set.codings:
            assert not TERMINOLOGY.sets_of(coding.system, coding.code) & each.removes, coding


def test_a_look_alike_product_wins_over_its_ingredient_code():
    ointment = TERMINOLOGY.identify([(RXNORM, "1894", None), (RXNORM, "388517", None)], ["calcitriol"])
    assert (ointment.sets, ointment.basis, ointment.form_known) == (frozenset(), "code", True)
    assert ointment.coding.code == "388517"


def test_an_ingredient_code_yields_to_the_words_of_the_order():
    assert (
        TERMINOLOGY.identify([(RXNORM, "1894", "calcitriol")], ["calcitriol 3 mcg/g ointment"]).sets == set()
    )
    plain = TERMINOLOGY.identify([(RXNORM, "1894", "calcitriol")], ["calcitriol 0.25 mcg"])
    assert (plain.sets, plain.form_known) == ({"calcitriol"}, False)


def test_a_product_code_does_not_yield():
    identity = TERMINOLOGY.identify([(RXNORM, "308867", "x")], ["calcitriol, patient also uses an ointment"])
    assert (identity.sets, identity.basis, identity.form_known) == ({"calcitriol"}, "code", True)
    assert identity.display == "calcitriol 0.00025 MG Oral Capsule"


def test_the_product_leads_and_every_known_coding_counts():
    identity = TERMINOLOGY.identify(
        [(SNOMED, "48603004", None), (ATC, "B01AA03", None), (RXNORM, "855332", None)], []
    )
    assert identity.coding.code == "855332"
    assert identity.sets == {"warfarin"}
    mixed = TERMINOLOGY.identify([("urn:local", "17", "Blood thinner"), (ATC, "B01AA04", None)], ["warfarin"])
    assert (mixed.sets, mixed.basis) == ({"phenprocoumon"}, "code")


def test_codes_win_over_names_and_unknown_codes_leave_it_to_the_name():
    assert TERMINOLOGY.identify([(RXNORM, "308867", None)], ["warfarin"]).sets == {"calcitriol"}
    unknown = TERMINOLOGY.identify([(RXNORM, "99999999", "Warfarin 11 MG Oral Tablet")], [])
    assert (unknown.sets, unknown.basis, unknown.coding, unknown.display) == (
        {"warfarin"},
        "name",
        None,
        "warfarin",
    )


def test_a_calcium_and_vitamin_d_product_is_a_calcium_load_and_not_active_vitamin_d():
    sets = TERMINOLOGY.sets_of(RXNORM, "1233607")
    assert sets & ORAL_CALCIUM.ids
    assert not sets & ACTIVE_VITAMIN_D.ids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Warfarin 5 mg tablet", {"warfarin"}),
        ("WARFARIN5MG", {"warfarin"}),
        ("warfarin (Coumadin) 5 mg; take as told by the warfarin clinic", {"warfarin"}),
        ("Jantoven 2 mg", {"warfarin"}),
        ("Marcumar 3 mg", {"phenprocoumon"}),
        ("Sintrom 4", {"acenocoumarol"}),
        ("acénocoumarol 4 mg", {"acenocoumarol"}),
        ("One-Alpha 0.25 microgram", {"alfacalcidol"}),
        ("maxacalcitol injection", {"maxacalcitol"}),
        ("calcitriol 0.25 mcg cap", {"calcitriol"}),
        ("calcium acetate 667 mg", {"calcium-acetate"}),
        ("calcium acetate and magnesium carbonate", {"calcium-acetate-magnesium"}),
        ("calcium carbonate-vitamin D3 600 mg-400 unit", {"calcium-carbonate", "cholecalciferol"}),
        ("Calcium + vitamin D", {"calcium-unspecified"}),
        ("calcium 600 mg tab", {"calcium-unspecified"}),
        ("vitamin D 50,000 units", {"vitamin-d-unspecified"}),
        ("heparin 5,000 units subcutaneous", {"heparin"}),
        ("enoxaparin 40 mg", {"enoxaparin"}),
        ("insulin glargine 10 units", {"insulin"}),
        ("acetaminophen-codeine 300-30", {"codeine"}),
        ("phytonadione for warfarin reversal", {"vitamin-k1"}),
        ("sodium thiosulphate 25 g", {"sodium-thiosulfate"}),
        ("Pedmark 12.5 g", {"sodium-thiosulfate-otoprotection"}),
        ("Yorvipath pen", {"palopegteriparatide"}),
    ],
)
def test_names(text, expected):
    identity = by_name(text)
    assert (identity.sets, identity.basis) == (expected, "name")


@pytest.mark.parametrize(
    "text",
    [
        "warfarin clinic referral",
        "referral for warfarin management",
        "Coumadin clinic",
        "calcium channel blocker",
        "calcium polystyrene",
        "calcium polystyrene sulfonate 15 g",
        "leucovorin calcium 500 mg",
        "docusate calcium 240 mg",
        "rosuvastatin calcium 600",
        "heparin lock",
        "heparin lock flush 100 unit/mL",
        "calcitriol 3 mcg/g ointment",
        "hydrocortisone 1% cream",
        "dexamethasone ophthalmic drops",
        "dexamethasone 0.1 % eye drops",
        "triamcinolone nasal spray",
        "prednisolone otic",
        "hydrocortisone enema",
        "inhaled insulin",
        "insulin regular, inhalation powder",
        "betamethasone valerate 0.1 %",
        "tacrolimus lotion",
        "metformin 500 mg",
        "warfarinoid",
        "prewarfarin",
        "",
        "***",
        "😀",
    ],
)
def test_texts_that_name_none_of_our_drugs(text):
    identity = by_name(text)
    assert (identity.sets, identity.basis, identity.display) == (frozenset(), "none", None)


def test_a_word_about_form_in_another_text_of_the_order_counts():
    assert by_name("hydrocortisone", "apply the cream twice daily").basis == "none"


def test_long_texts_are_read_quickly_and_only_up_to_the_cap():
    assert len(words("a " * MAX_TEXT)) == MAX_TEXT / 2
    assert by_name("x" * MAX_TEXT + " warfarin").basis == "none"
    start = time.perf_counter()
    for hostile in (
        "calcium " * 5_000,
        "vitamin k vitamin " * 2_000,
        "a" * 100_000,
        "é" * 100_000,
        "((((" * 25_000,
    ):
        by_name(hostile)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Calciphylaxis", {"calciphylaxis-named"}),
        ("Calcific uraemic arteriolopathy of thigh", {"calciphylaxis-named"}),
        ("history of calciphylaxis", {"calciphylaxis-named"}),
        ("no evidence of calciphylaxis", set()),
        ("At risk for calciphylaxis", set()),
        ("Livedo reticularis", {"livedo"}),
        ("Femoral-popliteal bypass", {"leg-revascularisation"}),
        ("fistula, femoral angioplasty", set()),
        ("parathyroidectomy", {"parathyroidectomy"}),
        ("sestamibi scan before parathyroidectomy", set()),
        ("milk-alkali syndrome", {"milk-alkali-syndrome"}),
        ("hypertension", set()),
    ],
)
def test_problems_and_procedures_named_in_text(text, expected):
    assert TERMINOLOGY.sets_in_text(text) == expected


def test_switching_the_licensed_sets_off():
    assert TERMINOLOGY.sets_of(SNOMED, "237900002") == {"calciphylaxis-snomed-licensed"}
    off = build(LICENSED)
    assert off.sets_of(SNOMED, "237900002") == set()
    assert off.sets_in_text("calciphylaxis") == {"calciphylaxis-named"}
    assert off.sets_of(RXNORM, "855332") == {"warfarin"}
    assert build(frozenset({"livedo"})).sets_in_text("livedo") == set()


def test_wrong_configuration_is_refused():
    with pytest.raises(ValueError, match="unknown value sets: warfrin"):
        build(frozenset({"warfrin"}))
    with pytest.raises(ValueError, match="names lead to unknown value sets: warfrin"):
        Terminology([WARFARIN], {"warfarin": ("warfrin",)})
    look_alike = next(each for each in EXCLUSIONS if each.value_set.id == "not-warfarin")
    contradiction = type(look_alike)(WARFARIN, WARFARIN.ids)
    with pytest.raises(ValueError, match="both in and not in"):
        Terminology([WARFARIN], exclusions=[contradiction])


def test_every_ingredient_name_on_a_card_is_matched_by_itself():
    tables = FOLDER.parent / "terminology"
    with (tables / "drug_names.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["value_set"] in by_name(row["name"]).sets, row


def test_every_negative_says_why():
    assert all(each.reason for each in load_names(FOLDER / "names.json").negatives)


def test_a_beginning_takes_back_every_word_that_begins_so():
    matcher = NameMatcher({"insulin": ("insulin",)}, [Negative("inhal*", ("insulin",), "Route.")])
    assert matcher.find("insulin inhalation").remaining == set()
    assert matcher.find("insulin in hall").remaining == {"insulin"}


def test_groups_hold_the_classes_of_the_clinical_definitions():
    assert {"warfarin", "acenocoumarol", "phenprocoumon", "fluindione"} <= VITAMIN_K_ANTAGONISTS.ids
    assert not ACTIVE_VITAMIN_D.ids & NUTRITIONAL_VITAMIN_D.ids
    assert "calcium-parenteral" not in ORAL_CALCIUM.ids
