"""Value sets by name: a wrong name is an ImportError, and type checkers see each one.

One constant for each file of this folder, then groups under the title a sentence uses. The files are built by
`scripts/build_valuesets.py`; this module is written by hand, and a test fails when a file has no constant.
"""

from pathlib import Path

from cds_service.api import Exclusion, ValueSet, exclusion, group, load_names, load_value_set

FOLDER = Path(__file__).parent
_loaded: list[ValueSet] = []


def load(name: str) -> ValueSet:
    """One value set of this folder."""
    value_set = load_value_set(FOLDER / f"{name}.json")
    _loaded.append(value_set)
    return value_set


# Medicines
WARFARIN = load("warfarin")
ACENOCOUMAROL = load("acenocoumarol")
PHENPROCOUMON = load("phenprocoumon")
FLUINDIONE = load("fluindione")
DICOUMAROL = load("dicoumarol")
VITAMIN_K_ANTAGONIST_UNSPECIFIED = load("vitamin-k-antagonist-unspecified")
CALCITRIOL = load("calcitriol")
ALFACALCIDOL = load("alfacalcidol")
PARICALCITOL = load("paricalcitol")
DOXERCALCIFEROL = load("doxercalciferol")
CALCIFEDIOL = load("calcifediol")
FALECALCITRIOL = load("falecalcitriol")
MAXACALCITOL = load("maxacalcitol")
CALCIUM_ACETATE = load("calcium-acetate")
CALCIUM_ACETATE_MAGNESIUM = load("calcium-acetate-magnesium")
CALCIUM_CARBONATE = load("calcium-carbonate")
CALCIUM_CARBONATE_COMBINATION = load("calcium-carbonate-combination")
CALCIUM_CITRATE = load("calcium-citrate")
CALCIUM_CITRATE_COMBINATION = load("calcium-citrate-combination")
CALCIUM_OTHER_ORAL_SALT = load("calcium-other-oral-salt")
CALCIUM_UNSPECIFIED = load("calcium-unspecified")
CALCIUM_PARENTERAL = load("calcium-parenteral")
CHOLECALCIFEROL = load("cholecalciferol")
ERGOCALCIFEROL = load("ergocalciferol")
VITAMIN_D_UNSPECIFIED = load("vitamin-d-unspecified")
SEVELAMER = load("sevelamer")
LANTHANUM = load("lanthanum")
FERRIC_CITRATE = load("ferric-citrate")
SUCROFERRIC_OXYHYDROXIDE = load("sucroferric-oxyhydroxide")
TENAPANOR = load("tenapanor")
ALUMINIUM_ANTACID = load("aluminium-antacid")
CINACALCET = load("cinacalcet")
ETELCALCETIDE = load("etelcalcetide")
EVOCALCET = load("evocalcet")
DENOSUMAB = load("denosumab")
ALENDRONATE = load("alendronate")
ETIDRONATE = load("etidronate")
IBANDRONATE = load("ibandronate")
PAMIDRONATE = load("pamidronate")
RISEDRONATE = load("risedronate")
ZOLEDRONIC_ACID = load("zoledronic-acid")
TERIPARATIDE = load("teriparatide")
PALOPEGTERIPARATIDE = load("palopegteriparatide")
ABALOPARATIDE = load("abaloparatide")
CALCITONIN = load("calcitonin")
ROMOSOZUMAB = load("romosozumab")
PREDNISONE = load("prednisone")
PREDNISOLONE = load("prednisolone")
METHYLPREDNISOLONE = load("methylprednisolone")
DEXAMETHASONE = load("dexamethasone")
HYDROCORTISONE = load("hydrocortisone")
CORTISONE = load("cortisone")
BETAMETHASONE = load("betamethasone")
DEFLAZACORT = load("deflazacort")
TRIAMCINOLONE = load("triamcinolone")
CORTICOSTEROID_UNSPECIFIED = load("corticosteroid-unspecified")
INSULIN = load("insulin")
INSULIN_INTRAVENOUS = load("insulin-intravenous")
EPOETIN = load("epoetin")
DARBEPOETIN = load("darbepoetin")
METHOXY_PEG_EPOETIN = load("methoxy-peg-epoetin")
HEPARIN = load("heparin")
HEPARIN_FLUSH_OR_BAG = load("heparin-flush-or-bag")
HEPARIN_CATHETER_LOCK = load("heparin-catheter-lock")
ENOXAPARIN = load("enoxaparin")
DALTEPARIN = load("dalteparin")
TINZAPARIN = load("tinzaparin")
FONDAPARINUX = load("fondaparinux")
LOW_MOLECULAR_WEIGHT_HEPARIN = load("low-molecular-weight-heparin")
HEPARIN_UNSPECIFIED = load("heparin-unspecified")
APIXABAN = load("apixaban")
RIVAROXABAN = load("rivaroxaban")
DABIGATRAN = load("dabigatran")
EDOXABAN = load("edoxaban")
ARGATROBAN = load("argatroban")
ALTEPLASE = load("alteplase")
RETEPLASE = load("reteplase")
TENECTEPLASE = load("tenecteplase")
VITAMIN_K1 = load("vitamin-k1")
VITAMIN_K2 = load("vitamin-k2")
VITAMIN_K_UNSPECIFIED = load("vitamin-k-unspecified")
MORPHINE = load("morphine")
CODEINE = load("codeine")
MEPERIDINE = load("meperidine")
HYDROMORPHONE = load("hydromorphone")
OXYCODONE = load("oxycodone")
HYDROCODONE = load("hydrocodone")
TRAMADOL = load("tramadol")
FENTANYL = load("fentanyl")
BUPRENORPHINE = load("buprenorphine")
METHADONE = load("methadone")
KETAMINE = load("ketamine")
GABAPENTIN = load("gabapentin")
PREGABALIN = load("pregabalin")
SODIUM_THIOSULFATE = load("sodium-thiosulfate")
SODIUM_THIOSULFATE_OTOPROTECTION = load("sodium-thiosulfate-otoprotection")
AZATHIOPRINE = load("azathioprine")
BELATACEPT = load("belatacept")
CYCLOSPORINE = load("cyclosporine")
EVEROLIMUS = load("everolimus")
MYCOPHENOLATE = load("mycophenolate")
SIROLIMUS = load("sirolimus")
TACROLIMUS = load("tacrolimus")
FERRIC_CARBOXYMALTOSE = load("ferric-carboxymaltose")
FERRIC_DERISOMALTOSE = load("ferric-derisomaltose")
FERRIC_GLUCONATE = load("ferric-gluconate")
FERUMOXYTOL = load("ferumoxytol")
IRON_DEXTRAN = load("iron-dextran")
IRON_SUCROSE = load("iron-sucrose")
IRON_INTRAVENOUS_UNSPECIFIED = load("iron-intravenous-unspecified")
FERRIC_PYROPHOSPHATE_CITRATE = load("ferric-pyrophosphate-citrate")
PERITONEAL_DIALYSIS_SOLUTION = load("peritoneal-dialysis-solution")
HEMODIALYSIS_SOLUTION = load("hemodialysis-solution")
DIFELIKEFALIN = load("difelikefalin")
DAPRODUSTAT = load("daprodustat")
VADADUSTAT = load("vadadustat")
DIGOXIN = load("digoxin")
ONDANSETRON = load("ondansetron")
EMERGENCY_INJECTION = load("emergency-injection")

# Problems
DIALYSIS_DEPENDENCE = load("dialysis-dependence")
DIALYSIS_DEPENDENCE_SNOMED_LICENSED = load("dialysis-dependence-snomed-licensed")
DIALYSIS_CARE_ENCOUNTER = load("dialysis-care-encounter")
DIALYSIS_NONCOMPLIANCE = load("dialysis-noncompliance")
HEMODIALYSIS_CONDITION = load("hemodialysis-condition")
PERITONEAL_DIALYSIS_CONDITION = load("peritoneal-dialysis-condition")
END_STAGE_RENAL_DISEASE = load("end-stage-renal-disease")
END_STAGE_RENAL_DISEASE_SNOMED = load("end-stage-renal-disease-snomed")
END_STAGE_RENAL_DISEASE_SNOMED_LICENSED = load("end-stage-renal-disease-snomed-licensed")
END_STAGE_RENAL_DISEASE_UNTREATED_SNOMED_LICENSED = load("end-stage-renal-disease-untreated-snomed-licensed")
HYPERTENSIVE_CKD_STAGE_5_OR_ESRD = load("hypertensive-ckd-stage-5-or-esrd")
CKD_STAGE_5 = load("ckd-stage-5")
CKD_STAGE_1_4 = load("ckd-stage-1-4")
CKD_UNSPECIFIED = load("ckd-unspecified")
ACUTE_KIDNEY_INJURY = load("acute-kidney-injury")
CALCIPHYLAXIS_SNOMED_LICENSED = load("calciphylaxis-snomed-licensed")
CALCIPHYLAXIS_NAMED = load("calciphylaxis-named")
MILK_ALKALI_SYNDROME = load("milk-alkali-syndrome")
CALCIPHYLAXIS_NONSPECIFIC = load("calciphylaxis-nonspecific")
VASCULAR_CALCIFICATION = load("vascular-calcification")
HYPERPARATHYROIDISM_SECONDARY = load("hyperparathyroidism-secondary")
HYPERPARATHYROIDISM_TERTIARY = load("hyperparathyroidism-tertiary")
HYPERPARATHYROIDISM_PRIMARY = load("hyperparathyroidism-primary")
HYPERPARATHYROIDISM_UNSPECIFIED = load("hyperparathyroidism-unspecified")
PARATHYROID_CARCINOMA = load("parathyroid-carcinoma")
SKIN_NEOPLASM = load("skin-neoplasm")
CYANIDE_POISONING = load("cyanide-poisoning")
OTOTOXIC_HEARING_LOSS = load("ototoxic-hearing-loss")
RENAL_OSTEODYSTROPHY = load("renal-osteodystrophy")
HUNGRY_BONE = load("hungry-bone")
HYPERCALCEMIA = load("hypercalcemia")
HYPOCALCEMIA = load("hypocalcemia")
HYPERPHOSPHATEMIA = load("hyperphosphatemia")
HYPOALBUMINEMIA = load("hypoalbuminemia")
HYPERNATREMIA = load("hypernatremia")
METABOLIC_ACIDOSIS = load("metabolic-acidosis")
DIABETES = load("diabetes")
OBESITY = load("obesity")
PROTEIN_C_DEFICIENCY_SNOMED_LICENSED = load("protein-c-deficiency-snomed-licensed")
PROTEIN_S_DEFICIENCY = load("protein-s-deficiency")
PROTEIN_C_S_ANTITHROMBIN_DEFICIENCY = load("protein-c-s-antithrombin-deficiency")
THROMBOPHILIA_OTHER = load("thrombophilia-other")
ANTIPHOSPHOLIPID_SYNDROME = load("antiphospholipid-syndrome")
ANTIPHOSPHOLIPID_SYNDROME_SNOMED_LICENSED = load("antiphospholipid-syndrome-snomed-licensed")
ANTIPHOSPHOLIPID_ANTIBODY = load("antiphospholipid-antibody")
VITAMIN_K_DEFICIENCY = load("vitamin-k-deficiency")
ATRIAL_FIBRILLATION = load("atrial-fibrillation")
VENOUS_THROMBOEMBOLISM = load("venous-thromboembolism")
VENOUS_THROMBOEMBOLISM_HISTORY = load("venous-thromboembolism-history")
MECHANICAL_HEART_VALVE_SNOMED_LICENSED = load("mechanical-heart-valve-snomed-licensed")
PROSTHETIC_HEART_VALVE_TYPE_NOT_CODED = load("prosthetic-heart-valve-type-not-coded")
TISSUE_HEART_VALVE = load("tissue-heart-valve")
MITRAL_STENOSIS_RHEUMATIC = load("mitral-stenosis-rheumatic")
MITRAL_STENOSIS_NONRHEUMATIC = load("mitral-stenosis-nonrheumatic")
VENTRICULAR_ASSIST_DEVICE = load("ventricular-assist-device")
INTRACARDIAC_THROMBUS = load("intracardiac-thrombus")
LONG_TERM_ANTICOAGULANT_USE = load("long-term-anticoagulant-use")
LONG_TERM_SYSTEMIC_STEROID_USE = load("long-term-systemic-steroid-use")
LONG_TERM_INSULIN_USE = load("long-term-insulin-use")
LONG_TERM_OPIOID_USE = load("long-term-opioid-use")
LIVEDO = load("livedo")
LIVEDO_SNOMED_LICENSED = load("livedo-snomed-licensed")
SKIN_NECROSIS = load("skin-necrosis")
GANGRENE_SITE_NOT_CODED = load("gangrene-site-not-coded")
ULCER_THIGH_BUTTOCK_CALF_ABDOMEN = load("ulcer-thigh-buttock-calf-abdomen")
ULCER_SITE_NOT_CODED = load("ulcer-site-not-coded")
ULCER_OTHER_SITE = load("ulcer-other-site")
ULCER_ANKLE_FOOT = load("ulcer-ankle-foot")
DIABETIC_FOOT_ULCER = load("diabetic-foot-ulcer")
PRESSURE_ULCER = load("pressure-ulcer")
DIABETIC_GANGRENE = load("diabetic-gangrene")
PERIPHERAL_ARTERY_GANGRENE = load("peripheral-artery-gangrene")
PERIPHERAL_ARTERY_DISEASE = load("peripheral-artery-disease")
PANNICULITIS = load("panniculitis")
SKIN_NODULE = load("skin-nodule")
SKIN_FINDING_NONSPECIFIC = load("skin-finding-nonspecific")
CELLULITIS = load("cellulitis")
PYODERMA_GANGRENOSUM = load("pyoderma-gangrenosum")
CIRRHOSIS = load("cirrhosis")
LIVER_DISEASE = load("liver-disease")
CROHN_DISEASE = load("crohn-disease")
RHEUMATOID_ARTHRITIS = load("rheumatoid-arthritis")
SYSTEMIC_LUPUS_ERYTHEMATOSUS = load("systemic-lupus-erythematosus")
AUTOIMMUNE_DISEASE_OTHER = load("autoimmune-disease-other")
BREAST_CANCER = load("breast-cancer")
CHOLANGIOCARCINOMA = load("cholangiocarcinoma")
SARCOIDOSIS = load("sarcoidosis")
HYPERVITAMINOSIS_D = load("hypervitaminosis-d")
KIDNEY_TRANSPLANT_STATUS = load("kidney-transplant-status")
KIDNEY_TRANSPLANT_STATUS_SNOMED_LICENSED = load("kidney-transplant-status-snomed-licensed")
KIDNEY_TRANSPLANT_FAILURE = load("kidney-transplant-failure")
KIDNEY_TRANSPLANT_COMPLICATION = load("kidney-transplant-complication")
PALLIATIVE_CARE = load("palliative-care")
ADRENAL_INSUFFICIENCY = load("adrenal-insufficiency")
ACUTE_LIMB_ISCHEMIA = load("acute-limb-ischemia")
ABNORMAL_WEIGHT_LOSS = load("abnormal-weight-loss")
PREGNANCY = load("pregnancy")

# Results
CALCIUM_TOTAL = load("calcium-total")
CALCIUM_CORRECTED = load("calcium-corrected")
CALCIUM_CORRECTED_PROTEIN = load("calcium-corrected-protein")
CALCIUM_IONISED = load("calcium-ionised")
CALCIUM_POST_DIALYSIS = load("calcium-post-dialysis")
CALCIUM_LOOK_ALIKE = load("calcium-look-alike")
CALCIUM_PHOSPHATE_PRODUCT = load("calcium-phosphate-product")
PHOSPHATE = load("phosphate")
PHOSPHATE_PRE_DIALYSIS = load("phosphate-pre-dialysis")
PHOSPHATE_POST_DIALYSIS = load("phosphate-post-dialysis")
ALBUMIN = load("albumin")
ALBUMIN_LOOK_ALIKE = load("albumin-look-alike")
PTH_INTACT = load("pth-intact")
PTH_BIOINTACT = load("pth-biointact")
PTH_LOOK_ALIKE = load("pth-look-alike")
ALKALINE_PHOSPHATASE = load("alkaline-phosphatase")
ALKALINE_PHOSPHATASE_BONE = load("alkaline-phosphatase-bone")
VITAMIN_D_25_HYDROXY = load("vitamin-d-25-hydroxy")
INR = load("inr")
INR_LOOK_ALIKE = load("inr-look-alike")
CREATININE = load("creatinine")
EGFR = load("egfr")
BODY_WEIGHT = load("body-weight")
BODY_WEIGHT_DRY = load("body-weight-dry")
BODY_WEIGHT_PRE_DIALYSIS = load("body-weight-pre-dialysis")
BODY_WEIGHT_POST_DIALYSIS = load("body-weight-post-dialysis")
BODY_HEIGHT = load("body-height")
BMI = load("bmi")
BMI_LOOK_ALIKE = load("bmi-look-alike")
BICARBONATE = load("bicarbonate")
ANION_GAP = load("anion-gap")
ANION_GAP_WITH_POTASSIUM = load("anion-gap-with-potassium")
SODIUM = load("sodium")
POTASSIUM = load("potassium")
MAGNESIUM = load("magnesium")
GLUCOSE = load("glucose")
HBA1C = load("hba1c")
UREA_REDUCTION = load("urea-reduction")
C_REACTIVE_PROTEIN = load("c-reactive-protein")
HEMOGLOBIN = load("hemoglobin")
FERRITIN = load("ferritin")
TRANSFERRIN_SATURATION = load("transferrin-saturation")
DIALYSIS_MARKER_LAB = load("dialysis-marker-lab")
PROTEIN_S_FREE = load("protein-s-free")
ACTIVATED_PROTEIN_C_RESISTANCE = load("activated-protein-c-resistance")

# Procedures and orders
HEMODIALYSIS = load("hemodialysis")
PERITONEAL_DIALYSIS = load("peritoneal-dialysis")
DIALYSIS_MODALITY_NOT_STATED = load("dialysis-modality-not-stated")
CONTINUOUS_RENAL_REPLACEMENT = load("continuous-renal-replacement")
DIALYSIS_EDUCATION = load("dialysis-education")
KIDNEY_TRANSPLANT_PROCEDURE = load("kidney-transplant-procedure")
SKIN_BIOPSY_PUNCH = load("skin-biopsy-punch")
SKIN_BIOPSY = load("skin-biopsy")
SKIN_BIOPSY_EXCISIONAL = load("skin-biopsy-excisional")
PARATHYROIDECTOMY = load("parathyroidectomy")
PARATHYROID_IMAGING = load("parathyroid-imaging")
DEBRIDEMENT = load("debridement")
LOWER_LIMB_AMPUTATION = load("lower-limb-amputation")
LEG_REVASCULARISATION = load("leg-revascularisation")
PERITONEAL_DIALYSIS_CATHETER_REMOVAL = load("peritoneal-dialysis-catheter-removal")
HYPERBARIC_OXYGEN = load("hyperbaric-oxygen")
NEURAXIAL_BLOCK = load("neuraxial-block")
WOUND_CARE = load("wound-care")
PAIN_MANAGEMENT = load("pain-management")
REFERRAL_DERMATOLOGY = load("referral-dermatology")
LAB_ORDER_CALCIUM = load("lab-order-calcium")
LAB_ORDER_PHOSPHATE = load("lab-order-phosphate")
LAB_ORDER_PTH = load("lab-order-pth")
LAB_ORDER_ALBUMIN = load("lab-order-albumin")
LAB_ORDER_ALKALINE_PHOSPHATASE = load("lab-order-alkaline-phosphatase")
LAB_ORDER_INR = load("lab-order-inr")
LAB_ORDER_IONISED_CALCIUM = load("lab-order-ionised-calcium")
LAB_ORDER_PANEL = load("lab-order-panel")
LAB_ORDER_PTH_PANEL = load("lab-order-pth-panel")

ALL: tuple[ValueSet, ...] = tuple(_loaded)

# Groups of medicines
VITAMIN_K_ANTAGONISTS = group(
    "vitamin-k-antagonists",
    "vitamin K antagonist",
    WARFARIN,
    ACENOCOUMAROL,
    PHENPROCOUMON,
    FLUINDIONE,
    DICOUMAROL,
    VITAMIN_K_ANTAGONIST_UNSPECIFIED,
)
DOACS = group("doacs", "direct oral anticoagulant", APIXABAN, RIVAROXABAN, DABIGATRAN, EDOXABAN)
LOW_MOLECULAR_WEIGHT_HEPARINS = group(
    "low-molecular-weight-heparins",
    "low molecular weight heparin",
    ENOXAPARIN,
    DALTEPARIN,
    TINZAPARIN,
    LOW_MOLECULAR_WEIGHT_HEPARIN,
)
HEPARINS = group(
    "heparins",
    "heparin or fondaparinux",
    HEPARIN,
    LOW_MOLECULAR_WEIGHT_HEPARINS,
    FONDAPARINUX,
    HEPARIN_UNSPECIFIED,
)
THROMBOLYTICS = group("thrombolytics", "thrombolytic", ALTEPLASE, RETEPLASE, TENECTEPLASE)
VITAMIN_K = group("vitamin-k", "vitamin K", VITAMIN_K1, VITAMIN_K2, VITAMIN_K_UNSPECIFIED)
ACTIVE_VITAMIN_D = group(
    "active-vitamin-d",
    "active vitamin D",
    CALCITRIOL,
    ALFACALCIDOL,
    PARICALCITOL,
    DOXERCALCIFEROL,
    CALCIFEDIOL,
    FALECALCITRIOL,
    MAXACALCITOL,
)
NUTRITIONAL_VITAMIN_D = group(
    "nutritional-vitamin-d", "nutritional vitamin D", CHOLECALCIFEROL, ERGOCALCIFEROL, VITAMIN_D_UNSPECIFIED
)
ORAL_CALCIUM = group(
    "oral-calcium",
    "oral calcium",
    CALCIUM_ACETATE,
    CALCIUM_ACETATE_MAGNESIUM,
    CALCIUM_CARBONATE,
    CALCIUM_CARBONATE_COMBINATION,
    CALCIUM_CITRATE,
    CALCIUM_CITRATE_COMBINATION,
    CALCIUM_OTHER_ORAL_SALT,
    CALCIUM_UNSPECIFIED,
)
NON_CALCIUM_BINDERS = group(
    "non-calcium-binders",
    "non-calcium phosphate binder",
    SEVELAMER,
    LANTHANUM,
    FERRIC_CITRATE,
    SUCROFERRIC_OXYHYDROXIDE,
)
CALCIMIMETICS = group("calcimimetics", "calcimimetic", CINACALCET, ETELCALCETIDE, EVOCALCET)
BISPHOSPHONATES = group(
    "bisphosphonates",
    "bisphosphonate",
    ALENDRONATE,
    ETIDRONATE,
    IBANDRONATE,
    PAMIDRONATE,
    RISEDRONATE,
    ZOLEDRONIC_ACID,
)
TERIPARATIDE_ABALOPARATIDE = group(
    "teriparatide-abaloparatide", "teriparatide or abaloparatide", TERIPARATIDE, ABALOPARATIDE
)
SYSTEMIC_CORTICOSTEROIDS = group(
    "systemic-corticosteroids",
    "systemic corticosteroid",
    PREDNISONE,
    PREDNISOLONE,
    METHYLPREDNISOLONE,
    DEXAMETHASONE,
    HYDROCORTISONE,
    CORTISONE,
    BETAMETHASONE,
    DEFLAZACORT,
    TRIAMCINOLONE,
    CORTICOSTEROID_UNSPECIFIED,
)
SC_INSULIN = group("sc-insulin", "subcutaneous insulin", INSULIN)
ESA = group("esa", "erythropoiesis-stimulating agent", EPOETIN, DARBEPOETIN, METHOXY_PEG_EPOETIN)
SUBCUTANEOUS_MEDICINES = group(
    "subcutaneous-medicines",
    "medicine injected under the skin",
    SC_INSULIN,
    HEPARINS,
    ESA,
    TERIPARATIDE,
    PALOPEGTERIPARATIDE,
    ABALOPARATIDE,
    DENOSUMAB,
    ROMOSOZUMAB,
    CALCITONIN,
)
OPIOIDS_ACTIVE_METABOLITES = group(
    "opioids-active-metabolites", "opioid with active metabolites", MORPHINE, CODEINE, MEPERIDINE
)
OTHER_OPIOIDS = group(
    "other-opioids",
    "other opioid",
    HYDROMORPHONE,
    OXYCODONE,
    HYDROCODONE,
    TRAMADOL,
    FENTANYL,
    BUPRENORPHINE,
    METHADONE,
)
GABAPENTINOIDS = group("gabapentinoids", "gabapentinoid", GABAPENTIN, PREGABALIN)
IMMUNOSUPPRESSANTS = group(
    "immunosuppressants",
    "immunosuppressant",
    AZATHIOPRINE,
    BELATACEPT,
    CYCLOSPORINE,
    EVEROLIMUS,
    MYCOPHENOLATE,
    SIROLIMUS,
    TACROLIMUS,
)
INTRAVENOUS_IRON = group(
    "intravenous-iron",
    "intravenous iron",
    FERRIC_CARBOXYMALTOSE,
    FERRIC_DERISOMALTOSE,
    FERRIC_GLUCONATE,
    FERUMOXYTOL,
    IRON_DEXTRAN,
    IRON_SUCROSE,
    IRON_INTRAVENOUS_UNSPECIFIED,
)
QT_PROLONGING = group("qt-prolonging", "QT-prolonging medicine", METHADONE, ONDANSETRON)
DIALYSIS_ONLY_MEDICINES = group(
    "dialysis-only-medicines",
    "medicine used on dialysis",
    PERITONEAL_DIALYSIS_SOLUTION,
    HEMODIALYSIS_SOLUTION,
    ETELCALCETIDE,
    DIFELIKEFALIN,
    DAPRODUSTAT,
    VADADUSTAT,
    FERRIC_PYROPHOSPHATE_CITRATE,
    HEPARIN_CATHETER_LOCK,
)

# Groups of problems. The sets ending in SNOMED_LICENSED may be switched off; a group then shrinks by itself.
ON_DIALYSIS = group(
    "on-dialysis", "dependence on renal dialysis", DIALYSIS_DEPENDENCE, DIALYSIS_DEPENDENCE_SNOMED_LICENSED
)
ESRD = group(
    "esrd",
    "end-stage renal disease",
    END_STAGE_RENAL_DISEASE,
    END_STAGE_RENAL_DISEASE_SNOMED,
    END_STAGE_RENAL_DISEASE_SNOMED_LICENSED,
)
CALCIPHYLAXIS = group("calciphylaxis", "calciphylaxis", CALCIPHYLAXIS_SNOMED_LICENSED)
KIDNEY_TRANSPLANT = group(
    "kidney-transplant",
    "kidney transplant",
    KIDNEY_TRANSPLANT_STATUS,
    KIDNEY_TRANSPLANT_STATUS_SNOMED_LICENSED,
)
KIDNEY_TRANSPLANT_RECORDED = group(
    "kidney-transplant-recorded",
    "recorded kidney transplant",
    KIDNEY_TRANSPLANT,
    KIDNEY_TRANSPLANT_FAILURE,
    KIDNEY_TRANSPLANT_COMPLICATION,
)
MECHANICAL_HEART_VALVE = group(
    "mechanical-heart-valve", "mechanical heart valve", MECHANICAL_HEART_VALVE_SNOMED_LICENSED
)
ANTIPHOSPHOLIPID = group(
    "antiphospholipid",
    "antiphospholipid syndrome",
    ANTIPHOSPHOLIPID_SYNDROME,
    ANTIPHOSPHOLIPID_SYNDROME_SNOMED_LICENSED,
)
MANDATORY_VKA_INDICATIONS = group(
    "mandatory-vka-indications",
    "mandatory VKA indication",
    MECHANICAL_HEART_VALVE,
    PROSTHETIC_HEART_VALVE_TYPE_NOT_CODED,
    ANTIPHOSPHOLIPID,
    MITRAL_STENOSIS_RHEUMATIC,
    VENTRICULAR_ASSIST_DEVICE,
)
THROMBOPHILIA = group(
    "thrombophilia",
    "thrombophilia",
    PROTEIN_C_DEFICIENCY_SNOMED_LICENSED,
    PROTEIN_S_DEFICIENCY,
    PROTEIN_C_S_ANTITHROMBIN_DEFICIENCY,
    THROMBOPHILIA_OTHER,
    ANTIPHOSPHOLIPID,
    ANTIPHOSPHOLIPID_ANTIBODY,
)
ANY_LIVEDO = group("any-livedo", "livedo", LIVEDO, LIVEDO_SNOMED_LICENSED)
SKIN_NECROSIS_OR_GANGRENE = group(
    "skin-necrosis-or-gangrene", "skin necrosis or gangrene", SKIN_NECROSIS, GANGRENE_SITE_NOT_CODED
)
SKIN_ULCERS = group(
    "skin-ulcers", "non-pressure skin ulcer", ULCER_THIGH_BUTTOCK_CALF_ABDOMEN, ULCER_SITE_NOT_CODED
)
SKIN_LOOK_ALIKES = group(
    "skin-look-alikes",
    "pressure injury or acral lesion",
    PRESSURE_ULCER,
    DIABETIC_FOOT_ULCER,
    ULCER_ANKLE_FOOT,
    ULCER_OTHER_SITE,
    DIABETIC_GANGRENE,
    PERIPHERAL_ARTERY_GANGRENE,
)
ANY_LIVER_DISEASE = group("any-liver-disease", "liver disease", LIVER_DISEASE, CIRRHOSIS)
AUTOIMMUNE_DISEASES = group(
    "autoimmune-diseases",
    "autoimmune disease",
    RHEUMATOID_ARTHRITIS,
    SYSTEMIC_LUPUS_ERYTHEMATOSUS,
    CROHN_DISEASE,
    AUTOIMMUNE_DISEASE_OTHER,
)
OTHER_INDICATIONS_FOR_ANTICOAGULATION = group(
    "other-indications-for-anticoagulation",
    "other indication for anticoagulation",
    ATRIAL_FIBRILLATION,
    VENOUS_THROMBOEMBOLISM,
    VENOUS_THROMBOEMBOLISM_HISTORY,
)

# Groups of procedures and orders
DIALYSIS_PROCEDURES = group(
    "dialysis-procedures", "dialysis", HEMODIALYSIS, PERITONEAL_DIALYSIS, DIALYSIS_MODALITY_NOT_STATED
)
SKIN_BIOPSIES = group("skin-biopsies", "skin biopsy", SKIN_BIOPSY, SKIN_BIOPSY_PUNCH, SKIN_BIOPSY_EXCISIONAL)
MINERAL_LAB_ORDERS = group(
    "mineral-lab-orders",
    "mineral laboratory order",
    LAB_ORDER_CALCIUM,
    LAB_ORDER_PHOSPHATE,
    LAB_ORDER_ALBUMIN,
    LAB_ORDER_PTH,
)

# Look-alikes: a product that is known to be something else takes these sets back, whatever its ingredient code says.
EXCLUSIONS: tuple[Exclusion, ...] = (
    exclusion(load("not-warfarin"), VITAMIN_K_ANTAGONISTS),
    exclusion(load("not-calcitriol"), CALCITRIOL),
    exclusion(load("not-cholecalciferol"), CHOLECALCIFEROL),
    exclusion(load("not-ergocalciferol"), ERGOCALCIFEROL),
    exclusion(load("not-calcium-acetate"), CALCIUM_ACETATE),
    exclusion(load("not-calcium-parenteral"), CALCIUM_PARENTERAL),
    exclusion(load("not-calcium-other-oral-salt"), CALCIUM_OTHER_ORAL_SALT),
    exclusion(load("not-oral-calcium"), ORAL_CALCIUM),
    exclusion(load("not-systemic-corticosteroid"), SYSTEMIC_CORTICOSTEROIDS),
    exclusion(load("not-betamethasone"), BETAMETHASONE),
    exclusion(load("not-dexamethasone"), DEXAMETHASONE),
    exclusion(load("not-hydrocortisone"), HYDROCORTISONE),
    exclusion(load("not-methylprednisolone"), METHYLPREDNISOLONE),
    exclusion(load("not-prednisolone"), PREDNISOLONE),
    exclusion(load("not-triamcinolone"), TRIAMCINOLONE),
    exclusion(load("not-cyclosporine"), CYCLOSPORINE),
    exclusion(load("not-sirolimus"), SIROLIMUS),
    exclusion(load("not-tacrolimus"), TACROLIMUS),
    exclusion(load("not-intravenous-iron"), INTRAVENOUS_IRON),
    exclusion(load("not-iron-dextran"), IRON_DEXTRAN),
    exclusion(load("not-ketamine"), KETAMINE),
    exclusion(load("not-morphine"), MORPHINE, CODEINE),
    exclusion(load("not-hydrocodone"), HYDROCODONE),
    exclusion(load("not-oxycodone"), OXYCODONE),
    exclusion(load("not-insulin"), INSULIN),
    exclusion(load("not-sodium-thiosulfate"), SODIUM_THIOSULFATE),
    exclusion(load("not-vitamin-k"), VITAMIN_K),
    exclusion(load("not-vitamin-k1"), VITAMIN_K1),
    exclusion(load("not-vitamin-k2"), VITAMIN_K2),
    exclusion(load("not-vitamin-k-unspecified"), VITAMIN_K_UNSPECIFIED),
    exclusion(load("not-bisphosphonate"), BISPHOSPHONATES),
)

# What written orders and problems are matched by.
NAMES = load_names(FOLDER / "names.json")
