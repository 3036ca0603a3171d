"""Conditions of the synthetic cohort, in the codes, spellings and words in which records hold them."""

from cds_service.api import CohortCode, Diagnosis, Wording

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_OID = "urn:oid:2.16.840.1.113883.6.90"
SNOMED = "http://snomed.info/sct"
_LOCAL = "urn:oid:1.2.840.99999.2"


def icd(code: str, display: str = "") -> CohortCode:
    return CohortCode(ICD, code, display)


def snomed(code: str, display: str = "") -> CohortCode:
    return CohortCode(SNOMED, code, display)


def coded(*codes: CohortCode, weight: float = 1, text: str = "", shape: str = "") -> Wording:
    return Wording(weight, codes, text, shape)


def written(text: str, weight: float = 1) -> Wording:
    return Wording(weight, (), text, "words-only")


def _ordinary(ident: str, code: str, display: str, *more: Wording) -> Diagnosis:
    return Diagnosis(ident, (coded(icd(code, display), weight=9, text=display), *more))


DEPENDENCE = Diagnosis(
    "dialysis-dependence",
    (
        coded(icd("Z99.2", "Dependence on renal dialysis"), weight=60, text="Dialysis patient"),
        coded(snomed("105502003", "Dependence on renal dialysis (finding)"), weight=15),
        coded(snomed("428982002", "Dependence on hemodialysis due to end stage renal disease"), weight=8),
        # An EHR that writes systems as OIDs and puts a code of its own first.
        coded(
            CohortCode(_LOCAL, "70114", "HD PATIENT"),
            CohortCode(ICD_OID, "Z99.2", "Dependence on renal dialysis"),
            weight=9,
            text="HD patient",
            shape="oid-system-second-coding",
        ),
        coded(CohortCode(ICD, "Z992", ""), weight=5, shape="icd-without-dot"),
        coded(
            CohortCode("urn:oid:2.16.840.1.113883.6.96", "236435004", ""),
            weight=3,
            shape="snomed-oid-no-display",
        ),
    ),
)
ESRD = Diagnosis(
    "esrd",
    (
        coded(icd("N18.6", "End stage renal disease"), weight=85, text="ESRD"),
        coded(
            snomed("46177005", "End-stage renal disease (disorder)"),
            icd("N18.6", "End stage renal disease"),
            weight=10,
        ),
        coded(CohortCode(ICD_OID, "N18.6"), weight=5, shape="oid-system"),
    ),
)
ESRD_SNOMED = Diagnosis("esrd-snomed", (coded(snomed("46177005", "End-stage renal disease (disorder)")),))
ESRD_WORDS = Diagnosis("esrd-words", (written("ESRD on HD Mon/Wed/Fri"), written("end stage renal disease")))
LOCAL_DIALYSIS = Diagnosis(
    "dialysis-local-code",
    (Wording(1, (CohortCode(_LOCAL, "RRT-HD", "Nierenersatztherapie"),), "Nierenersatztherapie"),),
)
DEPENDENCE_CLOSED = Diagnosis("dialysis-dependence-closed", DEPENDENCE.wordings[:1], clinical="resolved")
CARE = Diagnosis(
    "dialysis-care", (coded(icd("Z49.31", "Encounter for adequacy testing for hemodialysis")),), (3, 80)
)
ACCESS = Diagnosis("access", (coded(icd("Z98.890", "Other specified postprocedural states")),))
GRAFT = Diagnosis(
    "graft", (coded(icd("Z94.0", "Kidney transplant status"), text="Kidney transplant"),), (100, 300)
)
GRAFT_OLD = Diagnosis(
    "graft-old", (coded(icd("Z94.0", "Kidney transplant status"), text="Kidney transplant"),), (4000, 5500)
)
GRAFT_UNDATED = Diagnosis("graft-undated", (coded(icd("Z94.0", "Kidney transplant status")),), None)
GRAFT_FAILED = Diagnosis("graft-failed", (coded(icd("T86.12", "Kidney transplant failure")),), (300, 900))
DEPENDENCE_BEFORE_GRAFT = Diagnosis("dependence-before-graft", DEPENDENCE.wordings[:2], (400, 2500))
ESRD_BEFORE_GRAFT = Diagnosis("esrd-before-graft", ESRD.wordings[:1], (400, 2500))
AKI = Diagnosis("aki", (coded(icd("N17.9", "Acute kidney failure, unspecified")),), (20, 50))
CKD5 = Diagnosis("ckd5", (coded(icd("N18.5", "Chronic kidney disease, stage 5")),))
CKD3 = Diagnosis("ckd3", (coded(icd("N18.30", "Chronic kidney disease, stage 3 unspecified")),))
CALCIPHYLAXIS = Diagnosis(
    "calciphylaxis",
    (
        coded(icd("E83.59", "Other disorders of calcium metabolism"), weight=55, text="Calciphylaxis"),
        coded(snomed("237900002", "Calciphylaxis"), weight=30),
        written("calcific uremic arteriolopathy", 15),
    ),
    (20, 400),
)
CALCIPHYLAXIS_REFUTED = Diagnosis(
    "calciphylaxis-refuted", CALCIPHYLAXIS.wordings[:2], (20, 400), verification="refuted"
)
CALCIUM_DISORDER = Diagnosis(
    "calcium-disorder",
    (coded(icd("E83.59", "Other disorders of calcium metabolism"), text="Hypercalcemia"),),
    (20, 400),
)
ULCER = Diagnosis(
    "leg-ulcer", (coded(icd("L97.109", "Non-pressure chronic ulcer of unspecified thigh")),), (5, 85)
)
ATRIAL_FIBRILLATION = _ordinary("atrial-fibrillation", "I48.20", "Chronic atrial fibrillation, unspecified")
VALVE = _ordinary("valve", "Z95.2", "Presence of prosthetic heart valve")
APS = _ordinary("antiphospholipid", "D68.61", "Antiphospholipid syndrome")
DIABETES = _ordinary(
    "diabetes",
    "E11.22",
    "Type 2 diabetes mellitus with diabetic chronic kidney disease",
    coded(snomed("44054006", "Diabetes mellitus type 2"), weight=3),
)
LIVER = _ordinary("liver", "K74.60", "Unspecified cirrhosis of liver")
HYPERTENSION = _ordinary("hypertension", "I10", "Essential (primary) hypertension")
HEART_FAILURE = _ordinary("heart-failure", "I50.9", "Heart failure, unspecified")
ANEMIA = _ordinary("anemia", "D63.1", "Anemia in chronic kidney disease")
LIPIDS = _ordinary("lipids", "E78.5", "Hyperlipidemia, unspecified")
SHPT = _ordinary("shpt", "N25.81", "Secondary hyperparathyroidism of renal origin")
BACK_PAIN = _ordinary("back-pain", "M54.50", "Low back pain, unspecified")

BY_SHARE = (
    *(
        CALCIPHYLAXIS,
        CALCIPHYLAXIS_REFUTED,
        CALCIUM_DISORDER,
        ULCER,
        ATRIAL_FIBRILLATION,
        VALVE,
        APS,
        DIABETES,
    ),
    *(LIVER, HYPERTENSION, HEART_FAILURE, ANEMIA, LIPIDS, SHPT, BACK_PAIN, CKD3, CKD5, AKI, GRAFT),
)
