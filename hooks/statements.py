"""The 96 founding statements in our own words, and where each can be seen.

S1 to S20 come from a summary text (document A), S21 to S96 from a longer article (document B). A place is a
rule (with words that its card must contain), a factor or line of the patient summary, the evidence page, a
rule of wording, a value set, or a definition in code. `cds-service check` verifies that each place exists.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement can be seen. `mentions`: a pattern that a text of the rule must contain."""

    kind: str
    name: str
    note: str = ""
    mentions: str = ""
    proof: str = ""
    """The test that proves it; a rule is proven by the cases in which it fires."""


@dataclass(frozen=True, slots=True)
class Statement:
    id: str
    document: str
    says: str
    places: tuple[Place, ...]


_CHECKED = "tests/content/test_statements.py"


def _rule(name: str, note: str = "", mentions: str = "") -> Place:
    return Place("rule", name, note, mentions)


def _factor(name: str) -> Place:
    return Place("factor", name, proof=_CHECKED)


def _line(name: str) -> Place:
    return Place("line", name, proof=_CHECKED)


def _wording(name: str) -> Place:
    return Place("wording", name, proof="tests/content/test_wording.py")


_NO_ALLERGY = Place("wording", "D4", proof=_CHECKED)


def _value_set(name: str, note: str) -> Place:
    return Place("value set", name, note, proof="tests/terminology/test_drug_identity.py")


def _definition(name: str, note: str) -> Place:
    return Place("definition", name, note, proof=_CHECKED)


_PAGE = Place("background", "evidence page", proof="tests/content/test_evidence_page.py")
_ADULT = _definition("hooks.rules.common:ADULT", "the rules are for adults, without an upper limit")
_ON_DIALYSIS = _definition("hooks.case_features.dialysis:OnDialysis", "who counts as being on dialysis")
_PRODUCT = _definition("hooks.case_features.product:ProductReaches", "how Ca x P is worked out")

VKA_CALCIPHYLAXIS = "vka-calciphylaxis"
VKA_DIALYSIS = "vka-dialysis"
VITAMIN_D = "active-vitd-high-cap"
CALCIUM = "calcium-load-high-cap"
SKIN = "skin-lesion-consider"
BIOPSY = "biopsy-calciphylaxis"
OPIOID = "opioid-calciphylaxis"
STS = "sts-safety"
SUMMARY = "dialysis-risk-summary"

_DOCUMENT_A: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("A rare calcification of small arteries that starves the skin of blood.", (_PAGE,)),
    ("About 4 % of haemodialysis patients are affected; the number may be rising.", (_PAGE,)),
    ("Women are affected about three times as often as men.", (_factor("female-sex"),)),
    ("Reported more often in white patients. Not used: race is no input of any rule.", (_wording("N9"),)),
    ("Reported from infancy to high age.", (_ADULT, _PAGE)),
    (
        "One of several calcifications outside the skeleton in kidney failure.",
        (_PAGE, _value_set("vascular-calcification", "kept apart from the codes of the disease")),
    ),
    (
        "The name misleads; calcific uraemic arteriolopathy is the other name.",
        (_value_set("calciphylaxis-named", "both names are recognised"),),
    ),
    (
        "Overactive parathyroids, vitamin D, high phosphate or calcium and clotting disorders contribute.",
        (
            _rule(VITAMIN_D),
            _rule(CALCIUM),
            _rule("mbd-labs-missing"),
            _factor("ca-x-p"),
            _factor("pth"),
            _factor("thrombophilia"),
        ),
    ),
    ("Many patients die of it (older series).", (_PAGE, _wording("N3"))),
    (
        "Death is mostly from infection of the wounds.",
        (_rule(SKIN, "watch for infection", r"infect|sepsis"),),
    ),
    ("Think of it when a dialysis patient has painful nodules, plaques, ulcers or necrosis.", (_rule(SKIN),)),
    ("No laboratory test makes the diagnosis.", (_wording("N2"),)),
    (
        "Look and distribution of the lesions suggest it.",
        (_rule(SKIN, "features", r"livedo|violaceous|eschar"),),
    ),
    ("A skin biopsy confirms it unless there is a reason against one.", (_rule(BIOPSY),)),
    ("Bone scan and soft-tissue x-ray can help.", (_rule(BIOPSY, "imaging", r"bone scan"),)),
    ("New treatments are being studied.", (_wording("N7"), _PAGE)),
    (
        "A bisphosphonate prevented a similar reaction in rats.",
        (_PAGE, _rule("antiresorptive-dialysis", "wording", r"unproven|without trial")),
    ),
    ("Hyperbaric oxygen healed 2 of 5 patients.", (_PAGE, _wording("N7"))),
    (
        "Prednisone helped 11 of 14 patients without ulcers.",
        (_rule("steroid-calciphylaxis", "evidence on both sides", r"11 of 14"), _PAGE),
    ),
    ("Two operations on leg arteries had poor results.", (_rule("vascular-procedure-calciphylaxis"),)),
)

_DOCUMENT_B: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("Other names of the disease.", (_value_set("calciphylaxis-named", "“Grey Scale” is no clinical name"),)),
    ("Vessels in fat and deep skin calcify and clot.", (_PAGE,)),
    (
        "Mostly in kidney failure, also earlier, rarely with normal kidneys.",
        (_ON_DIALYSIS, _rule(VKA_CALCIPHYLAXIS, "in any state of the kidneys")),
    ),
    ("1 to 4 % of dialysis patients.", (_PAGE,)),
    ("Wounds become chronic; life expectancy is short.", (_rule(SKIN), _wording("N3"))),
    (
        "Other states with high calcium calcify tissue too.",
        (
            _rule(CALCIUM, "other causes", r"sarcoidosis|milk-alkali|hyperparathyroidism"),
            _rule(VITAMIN_D, "other causes", r"sarcoidosis|milk-alkali|hyperparathyroidism"),
            _line("other-associations"),
        ),
    ),
    ("Warfarin can, rarely, cause it.", (_rule(VKA_DIALYSIS), _rule(VKA_CALCIPHYLAXIS))),
    ("It begins with mottling, a net-like pattern and hardening.", (_rule(SKIN, "codes of the trigger"),)),
    ("Then come black, leathery dead skin and slough.", (_rule(SKIN, "codes of the trigger"),)),
    ("The skin around an ulcer is hard like a plate.", (_rule(SKIN, "codes of the trigger"),)),
    ("It is extremely painful; legs, belly, buttocks or penis.", (_rule(SKIN, "", r"pain"), _rule(OPIOID))),
    ("Lesions are several and on both sides.", (_rule(SKIN, "features", r"bilateral|both sides"),)),
    ("They rarely heal and become infected.", (_rule(SKIN, "wound care", r"wound|infect"),)),
    ("Infection spreads and kills.", (_rule(SKIN, "sepsis", r"sepsis|infect"),)),
    ("What the microscope shows.", (_PAGE,)),
    ("The heart can stiffen too.", (_PAGE,)),
    (
        "The cause is unknown; it is not an allergic reaction.",
        (_NO_ALLERGY, _rule(VKA_CALCIPHYLAXIS, "not an allergy", r"not an allergy")),
    ),
    (
        "Not limited to kidney failure.",
        (_ON_DIALYSIS, _rule(VKA_CALCIPHYLAXIS, "in any state of the kidneys")),
    ),
    ("Disturbed calcium and phosphate lay down calcium.", (_factor("ca-x-p"), _PRODUCT)),
    ("Then vessels clot; the triggers are unknown.", (_factor("thrombophilia"),)),
    ("Fat cells and phosphate take part.", (_factor("obesity"), _factor("phosphate"))),
    (
        "Too little vitamin K may let vessels calcify.",
        (_rule(VKA_CALCIPHYLAXIS, "mechanism", r"vitamin K-dependent"), _line("vitamin-k-status")),
    ),
    ("Diets in kidney failure are poor in vitamin K.", (_line("vitamin-k-status"),)),
    ("Many patients in kidney failure take warfarin.", (_rule(VKA_DIALYSIS), _factor("vka-active"))),
    (
        "The list of risk factors.",
        tuple(
            _factor(name)
            for name in (
                "female-sex",
                "obesity",
                "ca-x-p",
                "vka-active",
                "active-vitamin-d",
                "calcium-load",
                "systemic-corticosteroid",
                "thrombophilia",
                "low-albumin",
                "diabetes",
            )
        ),
    ),
    (
        "Operations on vessels turn out badly.",
        (_rule("vascular-procedure-calciphylaxis"), _line("recent-vascular-procedure")),
    ),
    ("No test makes the diagnosis; it is clinical.", (_wording("N1"), _wording("N2"))),
    ("Lesions are violet or black, leathery and wide.", (_rule(SKIN, "features", r"violaceous|eschar"),)),
    ("A punch biopsy supports the diagnosis.", (_rule(BIOPSY, "", r"biopsy"),)),
    ("An excision should not be done.", (_rule(BIOPSY, "warning for an excision", r"[Ee]xcision"),)),
    (
        "A bone scan serves when a biopsy cannot be done.",
        (_rule(BIOPSY, "alternative", r"bone scan|imaging"),),
    ),
    ("Antinuclear antibodies may help to tell it apart.", (_rule(SKIN, "differential", r"\bANA\b"),)),
    ("Plain x-ray is less sensitive.", (_rule(BIOPSY, "imaging", r"[Pp]lain film|x-ray|radiograph"),)),
    ("Phosphate, calcium and PTH do not help to diagnose it.", (_wording("N2"),)),
    (
        "Several professions treat it together.",
        (_rule(VKA_CALCIPHYLAXIS, "referrals"), _rule(SKIN, "referrals")),
    ),
    (
        "Prevention: control of phosphate, calcium and other risk factors.",
        (_rule(VITAMIN_D), _rule(CALCIUM), _rule(SUMMARY)),
    ),
    ("There is no specific treatment and no standard of care.", (_wording("N4"), _wording("N7"))),
    ("Treatment combines several approaches.", (_PAGE,)),
    ("Pain is hard to control, even with strong opioids.", (_rule(OPIOID, "pain", r"hard to control|pain"),)),
    ("Fentanyl and methadone are preferred to morphine.", (_rule(OPIOID, "", r"[Ff]entanyl"),)),
    ("Gabapentin and ketamine are added.", (_rule("gabapentinoid-dose-calciphylaxis"), _PAGE)),
    (
        "Spinal and nerve blocks.",
        (
            _rule(VKA_CALCIPHYLAXIS, "anticoagulant timing", r"neuraxial|spinal|nerve block"),
            _rule(OPIOID, "anticoagulant timing", r"neuraxial|spinal|nerve block|nerve/spinal"),
        ),
    ),
    ("Dressings, debridement, prevention of infection.", (_PAGE, _rule(SKIN, "referral to wound care"))),
    ("A wound infection leads to sepsis.", (_rule(SKIN, "sepsis", r"sepsis|infect"),)),
    ("Surgical debridement only where it helps.", (_PAGE,)),
    ("Hyperbaric oxygen may be considered.", (_PAGE, _wording("N7"))),
    ("Longer or more frequent haemodialysis.", (_line("dialysis-prescription-review"),)),
    ("Haemodialysis is usually four hours, three times a week.", (_PAGE,)),
    ("More dialysis for high phosphate, calcium or PTH.", (_line("dialysis-prescription-review"),)),
    (
        "Patients on peritoneal dialysis should change to haemodialysis.",
        (_rule("pd-modality-calciphylaxis"),),
    ),
    ("Removal of the parathyroids when minerals stay high.", (_rule("parathyroidectomy-hbs"),)),
    (
        "Hungry bone afterwards needs the calcium and calcitriol that are otherwise avoided.",
        (
            _rule("parathyroidectomy-hbs", "", r"[Hh]ungry bone"),
            _rule("calcium-vitd-calciphylaxis", "low calcium must be treated", r"must be treated"),
        ),
    ),
    ("Sodium thiosulfate is often prescribed.", (_rule(STS),)),
    ("How thiosulfate acts is unknown.", (_rule(STS, "wording", r"unproven"), _PAGE)),
    ("Thiosulfate causes acidosis and high sodium.", (_rule(STS, "checks", r"bicarbonate"),)),
    (
        "Bisphosphonates have been used.",
        (_rule("antiresorptive-dialysis", "", r"bisphosphonate|have been used"),),
    ),
    ("ENPP1 deficiency and a small study.", (_PAGE,)),
    ("Cinacalcet where surgery is not possible.", (_rule("calcimimetic-low-calcium"),)),
    ("Vitamin K slowed calcification of heart vessels in the elderly.", (_PAGE, _wording("N7"))),
    ("Warfarin should be stopped if possible.", (_rule(VKA_CALCIPHYLAXIS, "critical"),)),
    ("Thrombolysis with tPA has been tried.", (_PAGE,)),
    ("Maggots have been used to clean wounds.", (_PAGE,)),
    (
        "Bring Ca x P below 55.",
        (
            _rule(VITAMIN_D, "threshold T1", r"goal"),
            _rule(CALCIUM, "threshold T1"),
            _rule(VKA_DIALYSIS, "threshold T1"),
            _factor("ca-x-p"),
        ),
    ),
    (
        "Avoid injections under the skin, infusions, transfusions.",
        (_rule("sc-injection-calciphylaxis"), _PAGE),
    ),
    ("After a transplant, consider less immunosuppression.", (_rule("immunosuppressant-calciphylaxis"),)),
    ("Plasma exchange; a calcification marker.", (_PAGE,)),
    ("Most patients do not survive the first year (older series).", (_PAGE, _wording("N3"))),
    ("A response cannot be promised.", (_wording("N7"), _PAGE)),
    ("Sepsis is the commonest cause of death.", (_rule(SKIN, "sepsis", r"sepsis|infect"),)),
    (
        "Mostly on haemodialysis or soon after a kidney transplant.",
        (_ON_DIALYSIS, _factor("kidney-transplant")),
    ),
    ("Without kidney failure: other diseases it was seen with.", (_line("other-associations"),)),
    (
        "35, 4 and below 1 per 10,000 a year in three countries.",
        (_PAGE, _rule(VKA_DIALYSIS, "rare", r"[Rr]are")),
    ),
    ("Cases may be under-reported.", (_PAGE,)),
    ("How often it occurs after transplantation is unknown.", (_PAGE,)),
    ("The median age is 60; most patients are women.", (_PAGE,)),
    (
        "Lesions of the trunk: younger, heavier, more deaths.",
        (_rule(SKIN, "the site matters", r"\bsites?\b|fatty|proximal|central"),),
    ),
)

STATEMENTS: tuple[Statement, ...] = tuple(
    Statement(f"S{number}", "A" if number <= len(_DOCUMENT_A) else "B", says, places)
    for number, (says, places) in enumerate((*_DOCUMENT_A, *_DOCUMENT_B), 1)
)
