"""Cases of the chart and of discharge: risk summary, skin lesions, PD, immunosuppression, discharge on a VKA."""

from __future__ import annotations

from fixture_tables.casework import FORBIDDEN, Case
from fixture_tables.charts import (
    APS,
    CALCIPHYLAXIS,
    DIABETES,
    ESRD,
    FIBRILLATION,
    MAN,
    PAST_CALCIPHYLAXIS,
    SUSPECTED,
    VALVE,
    hd,
    hd_normal,
    no_kidney_disease,
    normal,
)
from fixture_tables.patients import PATIENTS
from fixture_tables.resources import (
    HEMODIALYSIS,
    PERITONEAL_DIALYSIS,
    TO_DERMATOLOGY,
    TRANSPLANTATION,
    Chart,
    ago,
    chart,
    concept,
    done,
    dosage,
    draw,
    encounter,
    problem,
    request,
    result,
    taking,
)

LIVE = {"*": "live"}
WARFARIN = taking("warfarin", dosage(1, "tablet", 1), days=400)
CALCITRIOL = taking("calcitriol", dosage(1, "capsule", 1))
CARBONATE = taking("calcium carbonate", dosage(1, "tablet", 2))
HIGH = draw(ca=9.5, alb=4.1, p=6.2, pth=320)
VIEW = "patient-view"
DISCHARGE = "encounter-discharge"
CHART_RULES = (
    "dialysis-risk-summary skin-lesion-consider pd-modality-calciphylaxis immunosuppressant-calciphylaxis"
)


def pd(*entries: object) -> Chart:
    """On peritoneal dialysis, by two procedures and end-stage disease."""
    return chart(
        problem("46177005", since="2023-02-01"),
        normal(),
        [done(PERITONEAL_DIALYSIS, days) for days in (3, 17, 60)],
        *entries,  # type: ignore[arg-type]
        patient=MAN,
    )


RISK_SUMMARY = (
    Case(
        "summary-vka-active",
        "The chart of a dialysis patient on warfarin is opened: the factors are listed, nothing is scored.",
        PATIENTS["hd-warfarin"],
        cards=["dialysis-risk-summary/info"],
        clear="skin-lesion-consider",
        says=[
            "Calciphylaxis risk factors on dialysis:",
            "itamin K status unknown - not measured",
            "most patients with several factors never develop calciphylaxis",
            "Ca x P <55 does not exclude it",
        ],
        never_says=["score", "%risk", "low risk", "safe"],
        offers_removal=False,
        service=VIEW,
        patient_id="hd-warfarin",
    ),
    Case(
        "summary-vitamin-d-high-product",
        "Calcitriol with Ca x P 58.9: something can be done about both.",
        hd(HIGH, CALCITRIOL),
        cards=["dialysis-risk-summary/info"],
        says=["58.9 mg2/dL2", "dialysis prescription"],
        offers_removal=False,
        service=VIEW,
    ),
    Case(
        "summary-calcium-high-calcium",
        "Calcium carbonate with calcium 10.6.",
        hd(draw(ca=10.6, alb=4.1, p=4.0, pth=320), CARBONATE),
        cards=["dialysis-risk-summary/info"],
        service=VIEW,
    ),
    Case(
        "summary-calciphylaxis-without-vka",
        "Calciphylaxis on record without a vitamin K antagonist: an information.",
        hd_normal(CALCIPHYLAXIS),
        cards=["dialysis-risk-summary/info"],
        service=VIEW,
    ),
    Case(
        "summary-stale-labs-with-vitamin-d",
        "Paricalcitol is being taken and the mineral results are 131 days old.",
        PATIENTS["hd-stale-labs"],
        cards=["dialysis-risk-summary/info"],
        fires="mbd-labs-missing",
        says=["Order calcium", "out of date"],
        service=VIEW,
        patient_id="hd-stale-labs",
    ),
    Case(
        "summary-calciphylaxis-and-valve",
        "Calciphylaxis and warfarin for a prosthetic valve: no warning, the warfarin is needed.",
        hd_normal(CALCIPHYLAXIS, VALVE, WARFARIN),
        cards=["dialysis-risk-summary/info"],
        says=["do not swap to a DOAC"],
        service=VIEW,
    ),
    Case(
        "summary-calciphylaxis-and-warfarin",
        "Confirmed calciphylaxis and warfarin on the medication list: the one warning of this card.",
        hd_normal(CALCIPHYLAXIS, WARFARIN),
        cards=["dialysis-risk-summary/warning"],
        never_says=["stop warfarin"],
        offers_removal=False,
        service=VIEW,
    ),
    Case(
        "summary-suspected-and-acenocoumarol",
        "Suspected calciphylaxis and acenocoumarol.",
        hd_normal(SUSPECTED, taking("acenocoumarol", days=700)),
        cards=["dialysis-risk-summary/warning"],
        service=VIEW,
    ),
    Case(
        "summary-named-and-phenprocoumon",
        "Calciphylaxis in words only and phenprocoumon for atrial fibrillation.",
        hd_normal(
            problem(text="Calciphylaxis of the abdomen", verification=None, since=ago(20)),
            FIBRILLATION,
            taking("phenprocoumon", days=700),
        ),
        cards=["dialysis-risk-summary/warning"],
        service=VIEW,
    ),
    Case(
        "summary-nothing-to-act-on",
        "Dialysis, diabetes and low albumin: risk factors, but nothing on the chart that could be changed.",
        hd(normal(alb=3.2), DIABETES),
        clear="dialysis-risk-summary",
        service=VIEW,
    ),
    Case(
        "summary-vitamin-d-normal-labs",
        "Calcitriol with unremarkable minerals is ordinary care.",
        hd_normal(CALCITRIOL),
        clear="dialysis-risk-summary",
        service=VIEW,
    ),
    Case(
        "summary-past-calciphylaxis-only",
        "Past calciphylaxis alone makes no card.",
        hd_normal(PAST_CALCIPHYLAXIS),
        clear="dialysis-risk-summary",
        service=VIEW,
    ),
    Case(
        "summary-transplant",
        "A working transplant is not dialysis.",
        PATIENTS["transplant-after-dialysis"].plus(WARFARIN),
        clear="dialysis-risk-summary",
        service=VIEW,
        patient_id="transplant-after-dialysis",
    ),
    Case(
        "summary-acute-kidney-injury",
        "Dialysis for acute kidney injury is not maintenance dialysis.",
        PATIENTS["aki-on-dialysis"].plus(WARFARIN),
        clear="dialysis-risk-summary",
        service=VIEW,
        patient_id="aki-on-dialysis",
    ),
    Case(
        "summary-medication-list-unreadable",
        "Nothing modifiable is known and the medication list is unreadable: recorded, no card.",
        hd_normal(),
        cannot="dialysis-risk-summary",
        without=["medications"],
        service=VIEW,
    ),
    Case(
        "summary-problem-list-in-words",
        "Dialysis stands on the problem list in words only: recorded, no card.",
        no_kidney_disease(normal(), problem(text="ESRD on hemodialysis"), WARFARIN),
        cannot="dialysis-risk-summary",
        service=VIEW,
    ),
    Case(
        "v14-pth-above-nine-times",
        "V14: PTH 620 pg/mL with an upper limit of 65 is 9.5 times the limit: high.",
        hd_normal(WARFARIN, result("pth", 620, 3)),
        cards=["dialysis-risk-summary/info"],
        says=["9.5 x ULN"],
        service=VIEW,
    ),
    Case(
        "v14-pth-below-nine-times",
        "V14: PTH 620 pg/mL with an upper limit of 72 is 8.6 times the limit: not high.",
        hd_normal(WARFARIN, result("pth", 620, 3, high=72)),
        cards=["dialysis-risk-summary/info"],
        says=["8.6 x ULN"],
        service=VIEW,
    ),
    Case(
        "v24-protein-s-low-on-warfarin",
        "V24: protein S reads low under warfarin whatever the patient has: not evaluable.",
        hd_normal(WARFARIN, result("protein s", 38, 20, low=60, high=140)),
        cards=["dialysis-risk-summary/info"],
        says=["not evaluable"],
        service=VIEW,
    ),
    Case(
        "view-not-on-dialysis",
        "The chart of somebody without kidney disease.",
        no_kidney_disease(WARFARIN),
        clear=CHART_RULES,
        service=VIEW,
    ),
)

SKIN_LESION = (
    Case(
        "skin-livedo",
        "Livedo on dialysis for three weeks: if painful, think of calciphylaxis.",
        hd_normal(problem("238772004", since=ago(21))),
        cards=["skin-lesion-consider/info"],
        says=["Dialysis and livedo reticularis: if painful or necrotic, consider calciphylaxis", "N18.6"],
        never_says=["has calciphylaxis"],
        service=VIEW,
    ),
    Case(
        "skin-calf-ulcer",
        "A non-pressure ulcer of the calf, 90 days old.",
        hd_normal(problem("L97.213", since=ago(90))),
        cards=["skin-lesion-consider/info"],
        says=["non-pressure ulcer of thigh, buttock or calf"],
        service=VIEW,
    ),
    Case(
        "skin-recurrent-cellulitis",
        "Cellulitis of the leg for the second time in three months.",
        hd_normal(
            problem("L03.115", since=ago(70), clinical="resolved", abated=ago(55)),
            problem("L03.116", since=ago(10)),
        ),
        cards=["skin-lesion-consider/info"],
        says=["recurrent cellulitis"],
        service=VIEW,
    ),
    Case(
        "skin-gangrene-without-site",
        "Gangrene coded without a site: the card says that the site is not recorded.",
        hd_normal(problem("I96", since=ago(8))),
        cards=["skin-lesion-consider/info"],
        says=["site not recorded"],
        service=VIEW,
    ),
    Case(
        "skin-panniculitis-after-transplant",
        "Panniculitis ten months after a kidney transplant.",
        no_kidney_disease(
            problem("Z94.0", since=ago(300)), done(TRANSPLANTATION, 300), problem("M79.3", since=ago(14))
        ),
        cards=["skin-lesion-consider/info"],
        says=["Kidney transplant and panniculitis"],
        service=VIEW,
    ),
    Case(
        "skin-lesion-beside-summary",
        "A leg ulcer and warfarin on dialysis: two cards, the summary first.",
        hd_normal(problem("L97.213", since=ago(20)), WARFARIN),
        cards=["dialysis-risk-summary/info", "skin-lesion-consider/info"],
        service=VIEW,
    ),
    Case(
        "skin-lesion-91-days",
        "A livedo 91 days ago is an old finding.",
        hd_normal(problem("238772004", since=ago(91))),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-pressure-injury",
        "A pressure injury of the sacrum has its own explanation.",
        hd_normal(problem("L89.153", since=ago(10))),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-diabetic-foot",
        "A diabetic foot ulcer.",
        hd_normal(problem("E11.621", since=ago(10)), problem("L97.512", since=ago(10))),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-arterial-gangrene-of-toes",
        "Gangrene of the toes with coded arterial disease.",
        hd_normal(
            problem("I70.262", since=ago(30)), problem("I96", text="Gangrene of left toes", since=ago(10))
        ),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-one-cellulitis",
        "One cellulitis is a cellulitis.",
        hd_normal(problem("L03.115", since=ago(10))),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-calciphylaxis-known",
        "The ulcer belongs to calciphylaxis that is already on record.",
        hd_normal(problem("L97.213", since=ago(20)), CALCIPHYLAXIS),
        cards=["dialysis-risk-summary/info"],
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-referred-60-days-ago",
        "Dermatology was asked 60 days ago.",
        hd_normal(problem("238772004", since=ago(70)), request(TO_DERMATOLOGY, days=60, status="completed")),
        suppressed="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-referred-61-days-ago",
        "Dermatology was asked 61 days ago.",
        hd_normal(problem("238772004", since=ago(70)), request(TO_DERMATOLOGY, days=61, status="completed")),
        cards=["skin-lesion-consider/info"],
        service=VIEW,
    ),
    Case(
        "skin-not-on-dialysis",
        "Livedo without kidney disease.",
        no_kidney_disease(problem("238772004", since=ago(21))),
        clear="skin-lesion-consider",
        service=VIEW,
    ),
    Case(
        "skin-lesion-without-date",
        "Nobody wrote down when the livedo began.",
        hd_normal(problem("238772004")),
        cannot="skin-lesion-consider",
        service=VIEW,
    ),
)

PD_AND_TRANSPLANT = (
    Case(
        "pd-calciphylaxis-line",
        "Peritoneal dialysis and calciphylaxis: a line of the summary card.",
        pd(CALCIPHYLAXIS),
        cards=["dialysis-risk-summary/info"],
        fires="pd-modality-calciphylaxis",
        says=["discuss with nephrology whether the modality still fits"],
        never_says=["switch to HD", "switch to haemodialysis"],
        service=VIEW,
    ),
    Case(
        "pd-calciphylaxis-own-card",
        "The summary is switched off: peritoneal dialysis and calciphylaxis make a card of their own.",
        pd(CALCIPHYLAXIS),
        cards=["pd-modality-calciphylaxis/info"],
        says=["Peritoneal dialysis with confirmed calciphylaxis"],
        modes={"dialysis-risk-summary": "off"},
        service=VIEW,
    ),
    Case(
        "pd-calciphylaxis-own-card-in-shadow",
        "The summary runs in shadow: suspected calciphylaxis on peritoneal dialysis.",
        pd(SUSPECTED),
        cards=["pd-modality-calciphylaxis/info"],
        fires="dialysis-risk-summary",
        modes={"dialysis-risk-summary": "shadow"},
        service=VIEW,
    ),
    Case(
        "pd-later-haemodialysis",
        "Haemodialysis since last week: the modality has changed already.",
        pd(CALCIPHYLAXIS, done(HEMODIALYSIS, 1)),
        cards=["dialysis-risk-summary/info"],
        clear="pd-modality-calciphylaxis",
        service=VIEW,
    ),
    Case(
        "pd-past-calciphylaxis",
        "Past calciphylaxis does not question peritoneal dialysis.",
        pd(PAST_CALCIPHYLAXIS),
        clear="pd-modality-calciphylaxis dialysis-risk-summary",
        service=VIEW,
    ),
    Case(
        "pd-palliative-care",
        "Palliative care: nobody discusses the modality now.",
        pd(CALCIPHYLAXIS, problem("Z51.5", since=ago(30))),
        cards=["dialysis-risk-summary/info"],
        suppressed="pd-modality-calciphylaxis",
        service=VIEW,
    ),
    Case(
        "pd-modality-not-recorded",
        "Dialysis with calciphylaxis, the modality is not on record: recorded, and the summary says so.",
        hd_normal(CALCIPHYLAXIS),
        cards=["dialysis-risk-summary/info"],
        cannot="pd-modality-calciphylaxis",
        says=["modality not recorded"],
        service=VIEW,
    ),
    Case(
        "pd-haemodialysis-procedures-unreadable",
        "Haemodialysis by a problem; a later change to peritoneal dialysis could not be seen: recorded, no card.",
        hd_normal(CALCIPHYLAXIS, problem("T82.41XA", since=ago(100))),
        cards=["dialysis-risk-summary/info"],
        cannot="pd-modality-calciphylaxis",
        without=["procedures"],
        service=VIEW,
    ),
    Case(
        "transplant-tacrolimus",
        "A working transplant, tacrolimus and calciphylaxis: the transplant team should look.",
        no_kidney_disease(
            problem("Z94.0", since="2024-09-09"), CALCIPHYLAXIS, taking("tacrolimus", dosage(1, "capsule", 2))
        ),
        cards=["immunosuppressant-calciphylaxis/info"],
        clear="dialysis-risk-summary",
        says=["Kidney transplant and confirmed calciphylaxis: ask the transplant team", "tacrolimus"],
        service=VIEW,
    ),
    Case(
        "transplant-mycophenolate-suspected",
        "A transplant by procedure, mycophenolate and suspected calciphylaxis.",
        no_kidney_disease(
            done(TRANSPLANTATION, 600), SUSPECTED, taking("mycophenolate", dosage(2, "tablet", 2))
        ),
        cards=["immunosuppressant-calciphylaxis/info"],
        service=VIEW,
    ),
    Case(
        "transplant-procedures-unreadable",
        "Tacrolimus and calciphylaxis; whether there is a transplant could not be seen: recorded, no card.",
        no_kidney_disease(CALCIPHYLAXIS, taking("tacrolimus", dosage(1, "capsule", 2))),
        cannot="immunosuppressant-calciphylaxis",
        without=["procedures"],
        service=VIEW,
    ),
    Case(
        "transplant-failed-on-dialysis",
        "A failed graft on dialysis, still on tacrolimus, with calciphylaxis: a line of the summary card.",
        PATIENTS["hd-failed-graft"].plus(CALCIPHYLAXIS, taking("tacrolimus", dosage(1, "capsule", 2))),
        cards=["dialysis-risk-summary/info"],
        fires="immunosuppressant-calciphylaxis",
        says=["ask the transplant team to review immunosuppression"],
        service=VIEW,
        patient_id="hd-failed-graft",
    ),
    Case(
        "transplant-steroid-alone",
        "Prednisolone alone does not count as immunosuppression here.",
        no_kidney_disease(
            problem("Z94.0", since="2024-09-09"),
            CALCIPHYLAXIS,
            taking("prednisolone", dosage(5, "tablet", 1)),
        ),
        clear="immunosuppressant-calciphylaxis",
        service=VIEW,
    ),
    Case(
        "transplant-none-autoimmune",
        "Mycophenolate for lupus without a transplant.",
        no_kidney_disease(
            problem("M32.9", since="2015-01-01"),
            CALCIPHYLAXIS,
            taking("mycophenolate", dosage(2, "tablet", 2)),
        ),
        clear="immunosuppressant-calciphylaxis",
        service=VIEW,
    ),
    Case(
        "transplant-medication-list-unreadable",
        "The medication list of a transplanted patient with calciphylaxis is unreadable: recorded, no card.",
        no_kidney_disease(problem("Z94.0", since="2024-09-09"), CALCIPHYLAXIS),
        cannot="immunosuppressant-calciphylaxis",
        without=["medications"],
        service=VIEW,
    ),
)


def stay(**fields: object) -> dict[str, object]:
    """The stay that ends today."""
    return (
        encounter(4)
        | {"id": "encounter-1", "period": {"start": ago(4, "08:00"), "end": ago(0, "11:00")}}
        | fields
    )


def leaving(code: str) -> dict[str, object]:
    system = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
    return stay(hospitalization={"dischargeDisposition": concept(system, code)})


DISCHARGES = (
    Case(
        "discharge-on-warfarin",
        "Going home on dialysis and warfarin: confirm indication, INR plan and skin advice.",
        hd_normal(WARFARIN, FIBRILLATION, result("inr", 2.4, 2), stay()),
        cards=["vka-discharge-review/info"],
        says=["Discharge on warfarin and dialysis", "2.4", "I48.91"],
        offers_removal=False,
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-no-indication",
        "Nobody has coded why acenocoumarol is given.",
        hd_normal(taking("acenocoumarol", days=300), stay()),
        cards=["vka-discharge-review/info"],
        says=["no indication coded"],
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-by-sessions",
        "Phenprocoumon and dialysis known from the sessions alone.",
        PATIENTS["hd-sessions-only"].plus(taking("phenprocoumon", days=300), stay()),
        cards=["vka-discharge-review/info"],
        modes=LIVE,
        service=DISCHARGE,
        patient_id="hd-sessions-only",
    ),
    Case(
        "discharge-in-shadow",
        "Until a site has seen how often it fires the rule runs in shadow: recorded, no card.",
        hd_normal(WARFARIN, stay()),
        fires="vka-discharge-review",
        service=DISCHARGE,
    ),
    Case(
        "discharge-valve",
        "Warfarin for antiphospholipid syndrome needs no question at the door.",
        hd_normal(WARFARIN, APS, stay()),
        clear="vka-discharge-review",
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-died",
        "The patient has died.",
        hd_normal(WARFARIN, leaving("exp")),
        suppressed="vka-discharge-review",
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-hospice",
        "The patient goes to a hospice.",
        hd_normal(WARFARIN, leaving("hosp")),
        suppressed="vka-discharge-review",
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-transplant",
        "A working transplant.",
        PATIENTS["transplant-after-dialysis"].plus(WARFARIN, stay()),
        clear="vka-discharge-review",
        modes=LIVE,
        service=DISCHARGE,
        patient_id="transplant-after-dialysis",
    ),
    Case(
        "discharge-without-vka",
        "Dialysis without an anticoagulant.",
        chart(ESRD, normal(), stay(), patient=MAN),
        clear="vka-discharge-review",
        modes=LIVE,
        service=DISCHARGE,
    ),
    Case(
        "discharge-medication-list-unreadable",
        "The medication list is forbidden: no order is in scope, so it is only recorded.",
        hd(stay()),
        cannot="vka-discharge-review",
        prefetch={"medications": FORBIDDEN},
        modes=LIVE,
        service=DISCHARGE,
    ),
)

CASES = (*RISK_SUMMARY, *SKIN_LESION, *PD_AND_TRANSPLANT, *DISCHARGES)
