"""The synthetic cohort of `cds-service generate`: a kidney department with its dialysis unit, and controls.

What is cited: calciphylaxis in 1 to 4 % of dialysis patients (founding statements S2 and S24; 1.5 % here), about
two thirds of them women (S95), half of them on a vitamin K antagonist (52 % of 253 registry cases, Brandenburg
2017) against 5 to 7 % of other dialysis patients (EVOLVE, Floege 2015). Everything else is assumed: the shares
of the groups, of each form of evidence, of other diagnoses and drugs, and all rates of errors and gaps.
"""

from cds_service.api import Cohort
from hooks.cohort.groups import GROUPS
from hooks.cohort.medicines import DRUGS
from hooks.cohort.problems import BY_SHARE
from hooks.cohort.results import SERIES

COHORT = Cohort(
    title="Synthetic kidney department with dialysis unit and controls",
    groups=GROUPS,
    diagnoses=BY_SHARE,
    drugs=DRUGS,
    series=SERIES,
    # Shares of resources; what each does is told in `population/synthetic/faults.py`.
    faults={
        "unit-missing": 0.008,
        "unit-unknown": 0.003,
        "decimal-slip": 0.002,
        "preliminary": 0.008,
        "entered-in-error": 0.004,
        "no-date": 0.002,
        "comparator": 0.004,
        "corrected-later": 0.004,
        "after-dialysis": 0.006,
        "value-in-words": 0.003,
        "absent-with-reason": 0.003,
        "wrong-type": 0.0002,
        "effective-period": 0.004,
        "issued-only": 0.004,
        "panel": 0.004,
        "absolute-subject": 0.004,
        "versioned-subject": 0.004,
        "number-with-exponent": 0.003,
        "escaped-text": 0.004,
        "code-as-number": 0.002,
        "contained-drug": 0.03,
        "drug-reference": 0.12,
        "drug-display-only": 0.03,
        "category-as-object": 0.03,
        "status-as-text": 0.02,
        "long-id": 0.01,
    },
    gaps={"labs-elsewhere": 0.05, "labs-stale": 0.06, "no-birth-date": 0.003},
)
