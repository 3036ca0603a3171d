"""Denosumab and bisphosphonates: kidney function, and treatment of high calcium in cancer (rule 18)."""

from __future__ import annotations

from cds_service.api import AllOf, AnyOf, HasProblem, LabBelow
from hooks import valuesets as vs
from hooks.analytes import EGFR
from hooks.case_features.dialysis import OnDialysis
from hooks.case_features.ordered import OrderedFor, OrderOf
from hooks.thresholds import LOW_EGFR

DENOSUMAB = OrderOf((vs.DENOSUMAB,))
BISPHOSPHONATE = OrderOf((vs.BISPHOSPHONATES,))
SEVERE_CKD = LabBelow(EGFR, LOW_EGFR.value, LOW_EGFR.source)
AT_RISK = AnyOf((OnDialysis(), AllOf((BISPHOSPHONATE, SEVERE_CKD))))
"""Either drug on dialysis; a bisphosphonate also with an eGFR below 35."""

_CANCER = (vs.BREAST_CANCER, vs.CHOLANGIOCARCINOMA, vs.PARATHYROID_CARCINOMA)
FOR_HYPERCALCAEMIA = AnyOf(
    (
        OrderedFor((vs.HYPERCALCEMIA,)),
        AllOf((HasProblem((vs.HYPERCALCEMIA,)), HasProblem(_CANCER))),
    )
)
"""Coded as the reason of the order, or high calcium and a cancer both on the problem list."""
