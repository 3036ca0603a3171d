"""Why teriparatide or abaloparatide is questioned: the strongest factor on record (rule 13)."""

from __future__ import annotations

from cds_service.api import AllOf, Answer, AnyOf, Criterion, Facts, HasProblem, Message, Taking, Text
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import CONFIRMED, HISTORY, SUSPECTED, HasCalciphylaxis
from hooks.case_features.dialysis import OnDialysis

_ON_VKA = Taking((vs.VITAMIN_K_ANTAGONISTS,))
_ON_STEROID = Taking((vs.SYSTEMIC_CORTICOSTEROIDS,))
_AUTOIMMUNE = HasProblem((vs.AUTOIMMUNE_DISEASES,))

# Strongest first. "A record of" and "on record": a card never says that the patient has the disease.
_FACTORS: tuple[tuple[Criterion, Text], ...] = (
    (HasCalciphylaxis((CONFIRMED,)), Message("a record of confirmed calciphylaxis")),
    (HasCalciphylaxis((SUSPECTED,)), Message("a record of suspected calciphylaxis")),
    (HasCalciphylaxis((HISTORY,)), Message("a record of past calciphylaxis")),
    (OnDialysis(), Message("maintenance dialysis on record")),
    (AllOf((_ON_VKA, _AUTOIMMUNE)), Message("a VKA and autoimmune disease")),
    (AllOf((_ON_VKA, _ON_STEROID)), Message("a VKA and a systemic steroid")),
)
SOME_FACTOR = AnyOf(tuple(criterion for criterion, _ in _FACTORS))


def strongest_factor(facts: Facts) -> Text | None:
    """The first factor that is on record, in words that follow "patient has"; None when there is none."""
    return next((words for ask, words in _FACTORS if ask.evaluate(facts).answer is Answer.MET), None)
