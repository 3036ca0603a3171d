"""The groups of the synthetic cohort, and every way in which dialysis shows or fails to show in a record.

Definitions of definite and probable evidence: `case_features/dialysis.py`. Group shares are assumed: they are
those of a kidney department, not of a whole hospital.
"""

from cds_service.api import CohortCode, Evidence, Group, Sessions, Share, Visit, Wording
from hooks.cohort import problems as p
from hooks.cohort.results import BODY, MINERALS, OTHER

_E4 = "E4: 52 % of 253 registry cases on a VKA"
_E13 = "E13: 5-7 % of patients without calciphylaxis on a VKA"
_S2 = "S2, S24: 1-4 % of dialysis patients"
_ASSUMED = "assumed"

_HD_SESSION = (
    Wording(70, (p.snomed("302497006", "Hemodialysis (procedure)"),)),
    Wording(20, (p.snomed("265764009", "Renal dialysis (procedure)"),)),
    Wording(10, (CohortCode("http://www.cms.gov/Medicare/Coding/ICD10", "5A1D70Z", ""),), shape="icd-pcs"),
)
_PD_SESSION = (Wording(1, (p.snomed("71192002", "Peritoneal dialysis (procedure)"),)),)
_LOCAL_SESSION = (Wording(1, (CohortCode("urn:oid:1.2.840.99999.4", "HD4H", "HD 4h"),), "HD 4h"),)
_CARE_VISIT = (Wording(1, (p.icd("Z49.31", "Encounter for adequacy testing for hemodialysis"),)),)


def _sessions(
    first: tuple[int, int], last: int, wordings: tuple[Wording, ...] = _HD_SESSION, every: float = 7 / 3
) -> Sessions:
    return Sessions(wordings, first, last, every)


HD_EVIDENCE = (
    Evidence("dependence-and-esrd", 34, "definite", diagnoses=(p.DEPENDENCE, p.ESRD)),
    Evidence("dependence-code", 16, "definite", diagnoses=(p.DEPENDENCE,)),
    Evidence(
        "sessions-and-esrd", 12, "definite", diagnoses=(p.ESRD_SNOMED,), sessions=_sessions((25, 80), 1)
    ),
    Evidence("sessions-long", 8, "definite", sessions=_sessions((95, 130), 1)),
    Evidence("graft-failed", 3, "definite", diagnoses=(p.GRAFT_OLD, p.GRAFT_FAILED, p.DEPENDENCE)),
    Evidence("graft-before-dialysis", 2, "definite", diagnoses=(p.GRAFT_OLD, p.DEPENDENCE)),
    Evidence("graft-undated", 1.5, "definite", diagnoses=(p.GRAFT_UNDATED,), sessions=_sessions((20, 60), 1)),
    Evidence("esrd-code", 12, "probable", diagnoses=(p.ESRD,)),
    Evidence("care-condition", 3, "probable", diagnoses=(p.CARE,)),
    Evidence("care-encounter", 3, "probable", visit=Visit(_CARE_VISIT, (2, 85))),
    Evidence(
        "words-only",
        2,
        "",
        "the problem list says it in words without a code: reported as not known",
        diagnoses=(p.ESRD_WORDS,),
    ),
    Evidence(
        "esrd-snomed-only",
        1.5,
        "",
        "SNOMED CT 46177005 says end-stage disease, not that it is treated by dialysis",
        diagnoses=(p.ESRD_SNOMED,),
    ),
    Evidence(
        "local-codes", 1, "", "local codes only", (p.LOCAL_DIALYSIS,), _sessions((60, 90), 1, _LOCAL_SESSION)
    ),
    Evidence(
        "dependence-closed",
        0.5,
        "",
        "the dependence code was closed, so it counts as history",
        diagnoses=(p.DEPENDENCE_CLOSED,),
    ),
    Evidence(
        "sessions-old",
        0.5,
        "",
        "no session in the last 90 days and no code",
        sessions=_sessions((150, 260), 110),
    ),
)
PD_EVIDENCE = (
    Evidence(
        "dependence-and-esrd",
        60,
        "definite",
        diagnoses=(p.DEPENDENCE, p.ESRD),
        sessions=_sessions((80, 120), 20, _PD_SESSION, 30),
    ),
    Evidence("sessions-long", 20, "definite", sessions=_sessions((110, 140), 4, _PD_SESSION, 14)),
    Evidence("esrd-code", 20, "probable", diagnoses=(p.ESRD,)),
)
TRANSPLANT = (
    Evidence("graft-after-dialysis", 60, "", diagnoses=(p.DEPENDENCE_BEFORE_GRAFT, p.GRAFT)),
    Evidence("graft-after-esrd", 40, "", diagnoses=(p.ESRD_BEFORE_GRAFT, p.GRAFT)),
)
ACUTE = (Evidence("acute", 1, "", diagnoses=(p.AKI,), sessions=_sessions((12, 30), 2, every=2)),)
CKD = (
    Evidence("ckd5", 30, "", diagnoses=(p.CKD5,)),
    Evidence("ckd3", 60, "", diagnoses=(p.CKD3,)),
    Evidence("access-only", 10, "", diagnoses=(p.CKD5, p.ACCESS)),
)

_COMMON = (
    Share("hypertension", 0.8, _ASSUMED),
    Share("lipids", 0.5, _ASSUMED),
    Share("heart-failure", 0.25, _ASSUMED),
    Share("back-pain", 0.3, _ASSUMED),
    Share("liver", 0.04, _ASSUMED),
)
_KIDNEY = (Share("anemia", 0.7, _ASSUMED), Share("diabetes", 0.45, _ASSUMED), Share("shpt", 0.5, _ASSUMED))
_DIALYSIS = (
    Share("calciphylaxis", 0.015, _S2),
    Share("calciphylaxis-refuted", 0.003, _ASSUMED),
    Share("calcium-disorder", 0.01, _ASSUMED),
    Share("leg-ulcer", 0.02, _ASSUMED, {"calciphylaxis": 0.6}),
    Share("valve", 0.02, _ASSUMED),
    Share("antiphospholipid", 0.004, _ASSUMED),
    Share("atrial-fibrillation", 0.12, _ASSUMED),
)
_ANY_DRUGS = (
    Share("metoprolol", 0.5, _ASSUMED),
    Share("atorvastatin", 0.5, _ASSUMED),
    Share("pantoprazole", 0.4, _ASSUMED),
    Share("amlodipine", 0.35, _ASSUMED),
    Share("study-drug", 0.01, _ASSUMED),
)
_DIALYSIS_DRUGS = (
    Share("warfarin", 0.06, f"{_E13}; {_E4}", {"calciphylaxis": 0.52, "valve": 0.9}),
    Share("apixaban", 0.05, _ASSUMED, {"atrial-fibrillation": 0.3}),
    Share("calcitriol", 0.25, _ASSUMED),
    Share("paricalcitol", 0.15, _ASSUMED),
    Share("calcium-acetate", 0.25, _ASSUMED),
    Share("calcium-carbonate", 0.15, _ASSUMED),
    Share("sevelamer", 0.4, _ASSUMED),
    Share("cinacalcet", 0.2, _ASSUMED),
    Share("prednisone", 0.06, _ASSUMED),
    Share("gabapentin", 0.15, _ASSUMED, {"calciphylaxis": 0.4}),
    Share("morphine", 0.05, _ASSUMED, {"calciphylaxis": 0.3}),
    Share("insulin", 0.02, _ASSUMED, {"diabetes": 0.5}),
)
_RESULTS = (*MINERALS, *BODY, *OTHER)
_NOT_KIDNEY = ("creatinine", "urea", "ferritin")
_ORDINARY_RESULTS = ("calcium", "albumin", *BODY, *(ident for ident in OTHER if ident not in _NOT_KIDNEY))


def _dialysis(ident: str, share: float, evidence: tuple[Evidence, ...]) -> Group:
    return Group(
        id=ident,
        share=share,
        member=True,
        ages=(22, 89),
        female=0.42,
        # S95: 60 to 70 % of patients with calciphylaxis are women.
        female_given={"calciphylaxis": 0.65},
        evidence=evidence,
        diagnoses=(*_DIALYSIS, *_KIDNEY, *_COMMON),
        drugs=(*_DIALYSIS_DRUGS, *_ANY_DRUGS),
        series=_RESULTS,
        encounters=12,
    )


GROUPS = (
    _dialysis("haemodialysis", 0.17, HD_EVIDENCE),
    _dialysis("peritoneal-dialysis", 0.028, PD_EVIDENCE),
    Group(
        "dialysis-child",
        0.002,
        member=True,
        ages=(4, 16),
        female=0.45,
        evidence=HD_EVIDENCE[:2],
        series=_RESULTS,
    ),
    Group(
        "transplant",
        0.08,
        member=False,
        ages=(22, 80),
        female=0.4,
        evidence=TRANSPLANT,
        diagnoses=(*_KIDNEY, *_COMMON),
        drugs=(Share("prednisone", 0.5, _ASSUMED), *_ANY_DRUGS),
        series=_RESULTS,
        sampling=0.8,
        encounters=20,
    ),
    Group(
        "acute-dialysis",
        0.02,
        member=False,
        ages=(30, 90),
        female=0.45,
        evidence=ACUTE,
        diagnoses=_COMMON,
        drugs=(Share("warfarin", 0.04, _ASSUMED), *_ANY_DRUGS),
        series=_RESULTS,
        encounters=20,
    ),
    Group(
        "chronic-kidney-disease",
        0.35,
        member=False,
        ages=(30, 92),
        female=0.48,
        evidence=CKD,
        diagnoses=(*_KIDNEY, *_COMMON, Share("atrial-fibrillation", 0.1, _ASSUMED)),
        drugs=(
            Share("warfarin", 0.03, _ASSUMED, {"atrial-fibrillation": 0.3}),
            Share("calcitriol", 0.1, _ASSUMED),
            *_ANY_DRUGS,
        ),
        series=_RESULTS,
        sampling=0.9,
        encounters=16,
    ),
    Group(
        "no-kidney-disease",
        0.35,
        member=False,
        ages=(18, 92),
        female=0.52,
        diagnoses=(*_COMMON, Share("diabetes", 0.12, _ASSUMED), Share("atrial-fibrillation", 0.05, _ASSUMED)),
        drugs=(Share("warfarin", 0.02, _ASSUMED, {"atrial-fibrillation": 0.3}), *_ANY_DRUGS),
        series=_ORDINARY_RESULTS,
        sampling=0.7,
        encounters=20,
    ),
)
