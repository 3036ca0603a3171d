"""Cases about orders: merging, the cap, stops, shapes and names of drugs, the other order services."""

from __future__ import annotations

from fixture_tables.casework import Case
from fixture_tables.charts import CALCIPHYLAXIS, FIBRILLATION, VALVE, hd, hd_normal, no_kidney_disease, normal
from fixture_tables.resources import (
    Json,
    dosage,
    draw,
    drug,
    medication,
    order,
)

WARFARIN = order("warfarin", dosage(1, "tablet", 1, route="Oral"))
CALCITRIOL = order("calcitriol", dosage(1, "capsule", 1, route="Oral"))
CARBONATE = order("calcium carbonate", dosage(1, "tablet", 1, route="Oral"))
ACETATE = order("calcium acetate", dosage(2, "capsule", 3, route="Oral"))
HIGH = draw(ca=10.6, alb=4.1, p=6.9, pth=320)
VKA_RULES = "vka-calciphylaxis vka-dialysis vka-mandatory-indication"


def stopped(**fields: object) -> list[Json]:
    return [WARFARIN | fields]


MERGING = (
    Case(
        "merge-calcium-two-rules",
        "Calcium carbonate with high calcium and calciphylaxis: one card, the lower rule number leads.",
        hd(HIGH, CALCIPHYLAXIS),
        [CARBONATE],
        ["calcium-load-high-cap/warning"],
        fires="calcium-vitd-calciphylaxis",
        says=["calcium carbonate with confirmed calciphylaxis", "Ca x P 73.1"],
        offers_removal=True,
    ),
    Case(
        "merge-higher-indicator-leads",
        "Ca x P 58.9 is an information, calciphylaxis a warning: the warning leads the one card.",
        hd(draw(ca=9.5, alb=4.1, p=6.2, pth=320), CALCIPHYLAXIS),
        [CALCITRIOL],
        ["calcium-vitd-calciphylaxis/warning"],
        fires="active-vitd-high-cap",
        says=["Ca x P 58.9 mg2/dL2"],
    ),
    Case(
        "merge-labs-line",
        "Missing results are a line of the warfarin card, not a card of their own.",
        hd(),
        [WARFARIN],
        ["vka-dialysis/warning"],
        fires="mbd-labs-missing",
        says=["No usable Ca, P, albumin and PTH", "Order phosphate"],
    ),
    Case(
        "merge-two-orders-two-cards",
        "Warfarin and calcitriol in one signing: one card for each order, equals in the order of the drafts.",
        hd(HIGH),
        [WARFARIN, CALCITRIOL],
        ["vka-dialysis/warning", "active-vitd-high-cap/warning"],
    ),
    Case(
        "merge-critical-first",
        "The critical warfarin card comes first although its order was written last.",
        hd(HIGH, CALCIPHYLAXIS),
        [CALCITRIOL, WARFARIN],
        ["vka-calciphylaxis/critical", "active-vitd-high-cap/warning"],
    ),
    Case(
        "cap-three-cards",
        "Five orders deserve a card; three cards are shown and the third names the other orders.",
        hd(HIGH, CALCIPHYLAXIS),
        [
            CALCITRIOL,
            CARBONATE,
            order("cholecalciferol", dosage(1, "capsule", 1)),
            order("ergocalciferol", dosage(1, "capsule")),
            WARFARIN,
        ],
        ["vka-calciphylaxis/critical", "active-vitd-high-cap/warning", "calcium-load-high-cap/warning"],
        says=[
            "Further orders",
            "cholecalciferol with confirmed calciphylaxis",
            "ergocalciferol with confirmed",
        ],
    ),
    Case(
        "merge-quiet-order-beside-loud-one",
        "An order of no interest beside warfarin changes nothing.",
        hd_normal(),
        [order("sevelamer", dosage(2, "tablet", 3)), WARFARIN],
        ["vka-dialysis/warning"],
    ),
)

STOPS = (
    Case(
        "stop-order-cancelled",
        "A cancelled warfarin order is no start.",
        hd_normal(CALCIPHYLAXIS),
        stopped(status="cancelled"),
        suppressed=VKA_RULES,
    ),
    Case(
        "stop-order-stopped",
        "An order that stops warfarin is just what we hope for.",
        hd_normal(CALCIPHYLAXIS),
        stopped(status="stopped"),
        suppressed=VKA_RULES,
    ),
    Case(
        "stop-order-entered-in-error",
        "An order entered in error is nobody's plan.",
        hd_normal(CALCIPHYLAXIS),
        stopped(status="entered-in-error"),
        suppressed=VKA_RULES,
    ),
    Case(
        "stop-order-taper",
        "Calcitriol is being tapered to a stop.",
        hd(HIGH),
        [order("calcitriol", dosage(text="0.25 mcg every other day for two weeks, taper to stop"))],
        suppressed="active-vitd-high-cap",
    ),
    Case(
        "stop-order-do-not-perform-calcium",
        "An order not to give calcium.",
        hd(HIGH),
        [CARBONATE | {"doNotPerform": True}],
        suppressed="calcium-load-high-cap calcium-vitd-calciphylaxis",
    ),
    Case(
        "stop-course-then-stop-is-a-start",
        "Three months of warfarin, then stop: that is a new course.",
        hd_normal(),
        [order("warfarin", dosage(1, "tablet", 1, text="1 tablet daily for 3 months, then stop"))],
        ["vka-dialysis/warning"],
    ),
)

LOOK_ALIKES = tuple(
    Case(
        f"look-alike-{name}",
        why,
        hd(HIGH, CALCIPHYLAXIS),
        [found],
        untouched="vka-calciphylaxis vka-dialysis active-vitd-high-cap calcium-load-high-cap",
    )
    for name, why, found in (
        (
            "warfarin-clinic",
            "A referral to the warfarin clinic is no warfarin.",
            order(None, text="Referral to warfarin clinic"),
        ),
        (
            "calcium-channel-blocker",
            "A calcium channel blocker holds no calcium.",
            order(None, text="Calcium channel blocker: amlodipine 5 mg"),
        ),
        (
            "verapamil",
            "Verapamil blocks calcium channels and is no calcium load.",
            order("verapamil", dosage(1, "tablet", 2)),
        ),
        (
            "calcipotriene",
            "Calcipotriene cream for psoriasis is no active vitamin D by mouth.",
            order("calcipotriene", dosage(route="Topical")),
        ),
        (
            "vitamin-k",
            "Phytonadione reverses warfarin.",
            order(None, text="Phytonadione 5 mg PO (vitamin K1)"),
        ),
        ("apixaban", "Apixaban is no vitamin K antagonist.", order("apixaban", dosage(1, "tablet", 2))),
        (
            "calcitonin",
            "Calcitonin is neither calcium nor calcitriol.",
            order(None, text="Calcitonin salmon 200 units nasal spray"),
        ),
        (
            "unknown-study-drug",
            "A study drug nobody has heard of is not classified, and nothing is claimed about it.",
            order(None, text="XQ-4711 study medication"),
        ),
    )
)

SHAPES = (
    Case(
        "shape-words-only",
        "The warfarin order carries no code, only words: recognised by name, and the card says so.",
        hd_normal(),
        [order(None, dosage(text="take 1 tablet daily"), text="Warfarin 5 mg tablets")],
        ["vka-dialysis/warning"],
        says=["matched by name only"],
    ),
    Case(
        "shape-brand-name",
        "Coumadin is warfarin.",
        hd_normal(),
        [order(None, text="COUMADIN 5MG TAB")],
        ["vka-dialysis/warning"],
        says=["warfarin on dialysis"],
    ),
    Case(
        "shape-contained-medication",
        "The drug stands in a Medication inside the order.",
        hd_normal(),
        [
            order(
                None,
                contained=[medication("warfarin") | {"id": "med"}],
                medicationReference={"reference": "#med"},
            )
        ],
        ["vka-dialysis/warning"],
        never_says=["matched by name"],
    ),
    Case(
        "shape-medication-beside-the-order",
        "The drug stands in a Medication that is another entry of the same Bundle.",
        hd_normal(),
        [
            order(None, medicationReference={"reference": "Medication/med-1"}),
            medication("warfarin") | {"id": "med-1"},
        ],
        ["vka-dialysis/warning"],
    ),
    Case(
        "shape-medication-in-prefetch",
        "The drug stands in a Medication that came with the medication list.",
        hd_normal(medication("warfarin") | {"id": "med-1"}),
        [order(None, medicationReference={"reference": "Medication/med-1"})],
        ["vka-dialysis/warning"],
    ),
    Case(
        "shape-medication-reference-display-only",
        "The reference to the drug leads nowhere, but its display names it.",
        hd_normal(),
        [
            order(
                None, medicationReference={"reference": "Medication/gone", "display": "warfarin 5 mg tablet"}
            )
        ],
        ["vka-dialysis/warning"],
        says=["matched by name only"],
    ),
    Case(
        "shape-ingredient-code",
        "The order names the ingredient (RxNorm 11289) beside a local code.",
        hd_normal(),
        [
            order(
                None,
                medicationCodeableConcept={
                    "coding": [
                        {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.698288", "code": "4711"},
                        {"system": "urn:oid:2.16.840.1.113883.6.88", "code": "11289"},
                    ]
                },
            )
        ],
        ["vka-dialysis/warning"],
    ),
    Case(
        "shape-sandbox-order",
        "The public sandbox sends an order that is not legal R4: category as an object, no Bundle type.",
        hd_normal(),
        [],
        ["vka-dialysis/warning"],
        context={
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "MedicationRequest",
                            "id": "request-123",
                            "status": "draft",
                            "intent": "order",
                            "category": {"coding": [{"code": "outpatient"}]},
                            "subject": {"reference": "Patient/synthetic-1"},
                            "medicationCodeableConcept": drug("warfarin", "Warfarin Sodium 5 MG Oral Tablet"),
                            "dosageInstruction": [],
                        }
                    }
                ],
            }
        },
    ),
    Case(
        "shape-order-without-drug",
        "The prescriber has not chosen a drug yet.",
        hd_normal(),
        [{"resourceType": "MedicationRequest", "status": "draft"}],
        untouched=VKA_RULES,
    ),
    Case(
        "shape-order-without-id",
        "The draft has no id yet: the card appears, but nothing can be removed by name.",
        hd_normal(),
        [],
        ["vka-dialysis/warning"],
        offers_removal=False,
        context={
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [{"resource": WARFARIN | {"subject": {"reference": "Patient/synthetic-1"}}}],
            }
        },
    ),
    Case("shape-no-orders", "Nothing is being signed.", hd_normal(CALCIPHYLAXIS), []),
    Case(
        "shape-patient-prefix-and-userless",
        "The patient id comes with its type in front, and no user is named.",
        hd_normal(),
        [WARFARIN],
        ["vka-dialysis/warning"],
        context={"patientId": "Patient/synthetic-1", "userId": None},
    ),
    Case(
        "shape-name-with-markup",
        "Words from the record are text: markup in them must not reach the reader as markup.",
        hd_normal().plus(
            FIBRILLATION | {"code": FIBRILLATION["code"] | {"text": "<img src=x onerror=alert(1)>"}}
        ),
        [order(None, text="<b>warfarin</b> [click](https://evil.example)")],
        ["vka-dialysis/warning"],
        never_says=["<img", "<b>", "](https://evil"],
    ),
)

SERVICES = (
    Case(
        "select-calciphylaxis",
        "While choosing warfarin for a patient with calciphylaxis the critical card already appears.",
        hd_normal(CALCIPHYLAXIS),
        [WARFARIN],
        ["vka-calciphylaxis/critical"],
        service="order-select",
    ),
    Case(
        "select-dialysis-is-for-signing",
        "The dialysis card waits until the order is signed.",
        hd_normal(),
        [WARFARIN],
        clear="vka-calciphylaxis",
        service="order-select",
    ),
    Case(
        "select-other-order-chosen",
        "Warfarin is in the basket, but the prescriber has selected the binder.",
        hd_normal(CALCIPHYLAXIS),
        [WARFARIN, order("sevelamer", dosage(2, "tablet", 3))],
        untouched="vka-calciphylaxis",
        context={"selections": ["MedicationRequest/draft-2"]},
        service="order-select",
    ),
    Case(
        "refill-warfarin",
        "A refill is always a renewal, also when the medication list does not show the drug.",
        hd_normal(),
        [WARFARIN],
        ["vka-dialysis/info/Renewal"],
        offers_removal=False,
        service="medication-refill",
    ),
    Case(
        "refill-warfarin-high-product",
        "A refill with Ca x P 73.1.",
        hd(HIGH),
        [WARFARIN],
        ["vka-dialysis/warning/Renewal"],
        offers_removal=False,
        service="medication-refill",
    ),
    Case(
        "refill-warfarin-medication-list-unreadable",
        "A refill with an unreadable medication list still uses the renewal text.",
        hd_normal(),
        [WARFARIN],
        ["vka-dialysis/info/Renewal"],
        without=["medications"],
        offers_removal=False,
        service="medication-refill",
    ),
    Case(
        "refill-calciphylaxis",
        "A warfarin refill with calciphylaxis.",
        hd_normal(CALCIPHYLAXIS),
        [WARFARIN],
        ["vka-calciphylaxis/critical"],
        service="medication-refill",
    ),
    Case(
        "refill-valve",
        "A warfarin refill for a prosthetic valve, long use not on record.",
        hd_normal(VALVE),
        [WARFARIN],
        ["vka-mandatory-indication/info"],
        service="medication-refill",
    ),
    Case(
        "refill-calcitriol-high",
        "A calcitriol refill at calcium 10.6.",
        hd(HIGH),
        [CALCITRIOL],
        ["active-vitd-high-cap/warning"],
        service="medication-refill",
    ),
    Case(
        "refill-calcium-labs-missing",
        "A calcium refill without any result: an information line names the gap.",
        hd(),
        [ACETATE],
        ["calcium-load-high-cap/info/Gap"],
        says=["no result"],
        service="medication-refill",
    ),
    Case(
        "refill-not-on-dialysis",
        "A refill for a patient without kidney disease.",
        no_kidney_disease(normal()),
        [WARFARIN],
        clear="vka-dialysis vka-calciphylaxis",
        service="medication-refill",
    ),
    Case(
        "portal-user-gets-no-card",
        "The patient opens the portal: our cards are for professionals.",
        hd_normal(CALCIPHYLAXIS),
        [WARFARIN],
        fires="vka-calciphylaxis",
        context={"userId": "Patient/synthetic-1"},
    ),
)

CASES = (*MERGING, *STOPS, *LOOK_ALIKES, *SHAPES, *SERVICES)
