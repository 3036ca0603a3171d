"""The five services, one per hook, with the rules on each and their default modes."""

from __future__ import annotations

from cds_service.api import Mode, RuleUse, Service
from hooks import prefetch as pf
from hooks.content import CONTENT
from hooks.rules import (
    active_vitd_high_cap,
    antiresorptive_dialysis,
    biopsy_calciphylaxis,
    calcimimetic_low_calcium,
    calcium_load_high_cap,
    calcium_vitd_calciphylaxis,
    dialysis_risk_summary,
    gabapentinoid_dose_calciphylaxis,
    immunosuppressant_calciphylaxis,
    mbd_labs_missing,
    opioid_calciphylaxis,
    parathyroidectomy_hbs,
    pd_modality_calciphylaxis,
    sc_injection_calciphylaxis,
    skin_lesion_consider,
    steroid_calciphylaxis,
    sts_safety,
    teriparatide_risk,
    vascular_procedure_calciphylaxis,
    vka_calciphylaxis,
    vka_dialysis,
    vka_discharge_review,
    vka_mandatory_indication,
)

_USAGE = (
    "FHIR R4 (R4B, STU3 and R5 shapes are tolerated; DSTU2 is not). Orders need RxNorm, NDC or ATC codes or a "
    "readable drug name. Data that do not come as prefetch are read from fhirServer; without access the card "
    "says what could not be checked."
)
_MEDICATION_RULES = (
    vka_calciphylaxis.RULE,
    vka_dialysis.RULE,
    vka_mandatory_indication.RULE,
    active_vitd_high_cap.RULE,
    calcium_load_high_cap.RULE,
    calcium_vitd_calciphylaxis.RULE,
)
# In shadow are those generic enough to be noisy, until a site has seen its own firing rate.
_OTHER_ORDERS = (
    RuleUse(biopsy_calciphylaxis.RULE),
    RuleUse(sc_injection_calciphylaxis.RULE),
    RuleUse(teriparatide_risk.RULE, Mode.SHADOW),
    RuleUse(opioid_calciphylaxis.RULE),
    RuleUse(gabapentinoid_dose_calciphylaxis.RULE),
    RuleUse(sts_safety.RULE),
    RuleUse(calcimimetic_low_calcium.RULE, Mode.SHADOW),
    RuleUse(antiresorptive_dialysis.RULE, Mode.SHADOW),
    RuleUse(steroid_calciphylaxis.RULE),
    RuleUse(parathyroidectomy_hbs.RULE),
    RuleUse(vascular_procedure_calciphylaxis.RULE),
)

ORDER_SIGN = Service(
    id="calciphylaxis-order-sign",
    hook="order-sign",
    title="Calciphylaxis risk check when orders are signed",
    description="Checks orders being signed for dialysis patients for drugs and labs that raise calciphylaxis risk.",
    usage_requirements=_USAGE,
    prefetch=(*pf.CORE, pf.PROCEDURES, pf.ENCOUNTERS, pf.REQUESTS),
    rules=(*(RuleUse(rule) for rule in (*_MEDICATION_RULES, mbd_labs_missing.RULE)), *_OTHER_ORDERS),
    content=CONTENT,
)
ORDER_SELECT = Service(
    id="calciphylaxis-order-select",
    hook="order-select",
    title="Calciphylaxis check when an order is selected",
    description="Checks the selected orders for a vitamin K antagonist in a patient with calciphylaxis on record.",
    usage_requirements=_USAGE,
    prefetch=(*pf.CORE, pf.PROCEDURES, pf.ENCOUNTERS, pf.REQUESTS),
    rules=(
        RuleUse(vka_calciphylaxis.RULE),
        *(RuleUse(rule, Mode.OFF) for rule in (*_MEDICATION_RULES[1:], mbd_labs_missing.RULE)),
        *(RuleUse(use.rule, Mode.OFF) for use in _OTHER_ORDERS),
    ),
    content=CONTENT,
)
MEDICATION_REFILL = Service(
    id="calciphylaxis-medication-refill",
    hook="medication-refill",
    title="Calciphylaxis risk check on renewals",
    description="Checks renewals of dialysis patients for drugs and labs that raise calciphylaxis risk.",
    usage_requirements=_USAGE,
    prefetch=(*pf.CORE, pf.PROCEDURES, pf.ENCOUNTERS, pf.REQUESTS),
    rules=tuple(RuleUse(rule) for rule in _MEDICATION_RULES),
    content=CONTENT,
)
PATIENT_VIEW = Service(
    id="calciphylaxis-patient-view",
    hook="patient-view",
    title="Calciphylaxis risk factors on dialysis",
    description="Shows which known risk factors for calciphylaxis a dialysis patient has, when the chart is opened.",
    usage_requirements=_USAGE,
    prefetch=(*pf.CORE, pf.PROCEDURES, pf.ENCOUNTERS, pf.REQUESTS, pf.VITALS),
    rules=tuple(
        RuleUse(rule)
        for rule in (
            mbd_labs_missing.RULE,
            dialysis_risk_summary.RULE,
            skin_lesion_consider.RULE,
            pd_modality_calciphylaxis.RULE,
            immunosuppressant_calciphylaxis.RULE,
        )
    ),
    content=CONTENT,
    essential=("conditions",),
    detail_limit=3000,
)
ENCOUNTER_DISCHARGE = Service(
    id="calciphylaxis-encounter-discharge",
    hook="encounter-discharge",
    title="Calciphylaxis check at discharge",
    description="Checks discharge of dialysis patients on a vitamin K antagonist.",
    usage_requirements=_USAGE,
    prefetch=(*pf.CORE, pf.PROCEDURES, pf.ENCOUNTERS, pf.REQUESTS),
    rules=(RuleUse(vka_discharge_review.RULE, Mode.SHADOW),),
    content=CONTENT,
    essential=("conditions",),
)
SERVICES = (ORDER_SIGN, ORDER_SELECT, PATIENT_VIEW, ENCOUNTER_DISCHARGE, MEDICATION_REFILL)
