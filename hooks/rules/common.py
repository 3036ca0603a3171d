"""Parts that several rules share: population, triggers, suggestion sets, recurring lines."""

from __future__ import annotations

from cds_service.api import AgeAtLeast, CodeGroup, Criterion, Line, Ordering, OrderLab, Refer
from hooks import valuesets as vs
from hooks.case_features.correction import DependsOnCorrection
from hooks.case_features.dialysis import OnDialysis
from hooks.labs_missing import LabsMissing

ADULT = AgeAtLeast(18)
ON_DIALYSIS: tuple[Criterion, ...] = (ADULT, OnDialysis())

ORDERING_VKA = Ordering((vs.VITAMIN_K_ANTAGONISTS,))
ORDERING_ACTIVE_VITAMIN_D = Ordering((vs.ACTIVE_VITAMIN_D,), not_routes=("topical",))
NOT_BY_MOUTH = ("topical", "iv", "im", "sc", "intraperitoneal")
ORAL_CALCIUM: tuple[CodeGroup, ...] = (vs.ORAL_CALCIUM,)
ORDERING_ORAL_CALCIUM = Ordering(ORAL_CALCIUM, not_routes=NOT_BY_MOUTH)

LABS_IF_MISSING = (
    OrderLab("lab.calcium", LabsMissing(("Ca",))),
    OrderLab("lab.phosphate", LabsMissing(("P",))),
    OrderLab("lab.albumin", LabsMissing(("albumin",))),
    OrderLab("lab.pth", LabsMissing(("PTH",))),
)
RECHECK_LABS = (
    OrderLab("lab.calcium"),
    OrderLab("lab.phosphate"),
    OrderLab("lab.albumin"),
    OrderLab("lab.pth"),
)
ORDER_IONISED_CALCIUM = OrderLab("lab.ionised-calcium", DependsOnCorrection())
REFER_NEPHROLOGY = Refer("referral.nephrology")
REFER_ANTICOAGULATION = Refer("referral.anticoagulation")

DIALYSIS_LINE = Line("Dialysis {dialysis_evidence}")
BY_NAME_LINE = Line("The order for {drug} was {matched_by_name}")
