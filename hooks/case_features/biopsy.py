"""When a skin biopsy is questioned although calciphylaxis is not on record (rule 10, by the criteria of rule 9)."""

from __future__ import annotations

from cds_service.api import AllOf, AnyOf, Not
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.dialysis import OnDialysis
from hooks.case_features.skin import SuspectLesion
from hooks.case_features.transplant import RecentTransplant

TRANSPLANT_DAYS = 365
SKIN_LESION_ON_DIALYSIS = AllOf(
    (AnyOf((OnDialysis(), RecentTransplant(TRANSPLANT_DAYS))), SuspectLesion(), Not(CURRENT_OR_PAST))
)
"""On dialysis or transplanted in the last year, with a recent skin finding that fits, calciphylaxis not on record."""
