"""Weight and BMI: obesity (T9) and rapid weight loss.

Weights after dialysis (or the dry weight) are preferred; weights taken before dialysis are not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import (
    Analyte,
    Answer,
    Facts,
    Finding,
    HasProblem,
    Lab,
    Message,
    Number,
    Record,
    Text,
    at_least,
    in_groups,
    latest,
    tell,
)
from hooks import valuesets as vs
from hooks.analytes import BMI, HEIGHT, WEIGHT
from hooks.thresholds import T9

LOSSES = ((90, Decimal(5)), (180, Decimal(10)))
"""(window in days, least loss in percent): our proposal."""
CODED_OBESITY = HasProblem((vs.OBESITY,))
_PER_METRE = Decimal(100)
_AFTER_DIALYSIS = vs.BODY_WEIGHT_POST_DIALYSIS.ids | vs.BODY_WEIGHT_DRY.ids
_BEFORE_DIALYSIS = vs.BODY_WEIGHT_PRE_DIALYSIS.ids


class Weighing(Record, frozen=True, gc=False):
    """One usable weight in kg with its date."""

    kg: Decimal
    lab: Lab
    days: int
    """Age in days at the call."""


def weighings(facts: Facts) -> list[Weighing]:
    """Usable final weights of one kind, newest first.

    Fluid removed by dialysis is no loss of weight, so kinds are not mixed: weights after dialysis (and the dry
    weight) when one is not out of date, else those that do not say when they were taken. Weights too old to be
    compared with are read only when there are no others.
    """
    return _weighings(facts, WEIGHT.current_days + LOSSES[-1][0]) or _weighings(facts, None)


def _weighings(facts: Facts, days: int | None) -> list[Weighing]:
    found = [
        Weighing(kg, lab, facts.age_days(lab.when))
        for lab in facts.results(WEIGHT, days) or ()
        if (kg := lab.exact) is not None
        and lab.when is not None
        and not lab.preliminary
        and lab.sets.isdisjoint(_BEFORE_DIALYSIS)
    ]
    after = [item for item in found if not item.lab.sets.isdisjoint(_AFTER_DIALYSIS)]
    if after and after[0].days <= WEIGHT.ageing_days:
        return after
    return [item for item in found if item.lab.sets.isdisjoint(_AFTER_DIALYSIS)]


def _with_amputation(because: Text, facts: Facts) -> Text:
    """The reason, with a note when a leg was amputated: BMI then reads low."""
    done = any(in_groups(item.sets, (vs.LOWER_LIMB_AMPUTATION,)) for item in facts.procedures or ())
    return Message("{because}; amputation on record, BMI reads low", because=because) if done else because


def _unread(facts: Facts, analyte: Analyte) -> Text | None:
    """That the measurements could not be read, if so."""
    reason = facts.failures.get(analyte.source)
    return Message("measurements not readable ({reason})", reason=reason) if reason else None


@dataclass(frozen=True, slots=True)
class Obese:
    """BMI 30 kg/m2 or more: measured, or from weight and any adult height; a code when neither is usable."""

    text: str = f"BMI at least {T9.value} kg/m2"

    def evaluate(self, facts: Facts) -> Finding:
        measured = self._measured(facts)
        if measured is not None:
            bmi, because, sources = measured
            answer = Answer.MET if at_least(bmi, T9.value) else Answer.NOT_MET
            doubt = latest(facts, BMI).doubt
            if doubt is None and "vitals" in facts.incomplete:
                doubt = Message("measurements read in part")
            if answer is Answer.NOT_MET and doubt is not None:
                answer = Answer.UNKNOWN
                because = Message("{because}, but {doubt}", because=because, doubt=doubt)
            return Finding(self, answer, _with_amputation(because, facts), sources)
        coded = CODED_OBESITY.evaluate(facts)
        if coded.answer is Answer.MET:
            return Finding(
                self,
                Answer.MET,
                Message("coded: {because}; BMI not measured", because=coded.because),
                coded.sources,
            )
        because = _unread(facts, BMI) or Message("no usable BMI, or weight with height")
        return Finding(self, Answer.UNKNOWN, because)

    def _measured(self, facts: Facts) -> tuple[Decimal, Text, tuple[str, ...]] | None:
        found = latest(facts, BMI).lab
        if found is not None and found.exact is not None:
            return found.exact, tell(found, BMI), (found.source,)
        weights, height = facts.feature(weighings), latest(facts, HEIGHT).lab
        if not weights or height is None or not height.exact or weights[0].days > WEIGHT.ageing_days:
            return None
        weight = weights[0]
        bmi = weight.kg / (height.exact / _PER_METRE) ** 2
        if not BMI.plausible[0] <= bmi <= BMI.plausible[1]:
            return None
        because = Message("BMI {bmi} kg/m2 from weight on {when}", bmi=Number(bmi, 1), when=weight.lab.when)
        return bmi, because, (weight.lab.source, height.source)


@dataclass(frozen=True, slots=True)
class RapidWeightLoss:
    """Loss of 5 % or more in 90 days, or 10 % or more in 180 days (our proposal)."""

    text: str = "weight loss of at least 5 % in 90 days or 10 % in 180 days"

    def evaluate(self, facts: Facts) -> Finding:
        weights = facts.feature(weighings)
        if not weights:
            return Finding(self, Answer.UNKNOWN, _unread(facts, WEIGHT) or Message("no usable weight"))
        last, earlier = weights[0], weights[1:]
        if last.days > WEIGHT.current_days:
            because = Message("last weight {when} is out of date", when=last.lab.when)
            return Finding(self, Answer.UNKNOWN, because, (last.lab.source,))
        comparable = [item for item in earlier if item.days - last.days <= LOSSES[-1][0]]
        for item in comparable:
            loss = (item.kg - last.kg) / item.kg * 100
            apart = item.days - last.days
            if loss > 0 and any(apart <= days and at_least(loss, least) for days, least in LOSSES):
                because = Message(
                    "{loss} % less on {when} than on {earlier}",
                    loss=Number(loss, 1),
                    when=last.lab.when,
                    earlier=item.lab.when,
                )
                return Finding(self, Answer.MET, because, (item.lab.source, last.lab.source))
        if not comparable:
            because = Message("no earlier weight to compare with")
        elif "vitals" in facts.incomplete:
            because = Message("measurements read in part")
        else:
            oldest = comparable[-1].lab
            because = Message("weights from {first} to {last}", first=oldest.when, last=last.lab.when)
            return Finding(self, Answer.NOT_MET, because, (oldest.source, last.lab.source))
        return Finding(self, Answer.UNKNOWN, because, (last.lab.source,))
