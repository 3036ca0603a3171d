"""Weight and BMI: obesity (T9) and rapid weight loss. Weights taken before dialysis are not used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import Answer, Facts, Finding, Lab, at_least, latest, show, tell
from hooks import valuesets as vs
from hooks.analytes import BMI, HEIGHT, WEIGHT
from hooks.thresholds import T9

LOSSES = ((90, Decimal(5)), (180, Decimal(10)))
"""(window in days, least loss in percent): our proposal."""
_PER_METRE = Decimal(100)


def _weights(facts: Facts) -> list[Lab]:
    """Usable weights, newest first, without those taken before dialysis."""
    pre = vs.BODY_WEIGHT_PRE_DIALYSIS.ids
    return [
        lab
        for lab in facts.results(WEIGHT) or ()
        if lab.problem is None and lab.exact is not None and lab.when is not None and lab.sets.isdisjoint(pre)
    ]


@dataclass(frozen=True, slots=True)
class Obese:
    """BMI 30 kg/m2 or more, measured, or worked out from weight and any adult height."""

    text: str = f"BMI at least {T9.value} kg/m2"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.results(BMI) is None:
            return Finding(
                self.text, Answer.UNKNOWN, f"measurements: {facts.failures.get(BMI.source, 'not read')}"
            )
        found = latest(facts, BMI)
        if found.lab is not None and found.lab.exact is not None:
            answer = Answer.MET if at_least(found.lab.exact, T9.value) else Answer.NOT_MET
            if answer is Answer.NOT_MET and found.doubt:
                answer = Answer.UNKNOWN
            return Finding(self.text, answer, tell(found.lab, BMI), (found.lab.source,))
        weights, height = _weights(facts), latest(facts, HEIGHT).lab
        weight = weights[0] if weights and weights[0].when else None
        if (
            weight is None
            or weight.when is None
            or height is None
            or not height.exact
            or weight.exact is None
        ):
            return Finding(self.text, Answer.UNKNOWN, "no usable BMI, or weight with height")
        if facts.age_days(weight.when) > WEIGHT.ageing_days:
            return Finding(
                self.text, Answer.UNKNOWN, f"last weight {weight.when} is out of date", (weight.source,)
            )
        bmi = weight.exact / (height.exact / _PER_METRE) ** 2
        answer = Answer.MET if at_least(bmi, T9.value) else Answer.NOT_MET
        because = f"BMI {show(bmi, 1)} kg/m2 from weight on {weight.when}"
        return Finding(self.text, answer, because, (weight.source, height.source))


@dataclass(frozen=True, slots=True)
class RapidWeightLoss:
    """Loss of 5 % or more in 90 days, or 10 % or more in 180 days (our proposal)."""

    text: str = "weight loss of at least 5 % in 90 days or 10 % in 180 days"

    def evaluate(self, facts: Facts) -> Finding:
        weights = _weights(facts)
        latest_weight = weights[0] if weights else None
        if latest_weight is None or latest_weight.when is None or latest_weight.exact is None:
            return Finding(self.text, Answer.UNKNOWN, "no usable weight")
        if facts.age_days(latest_weight.when) > WEIGHT.current_days:
            because = f"last weight {latest_weight.when} is out of date"
            return Finding(self.text, Answer.UNKNOWN, because, (latest_weight.source,))
        compared = False
        for days, percent in LOSSES:
            for earlier in weights[1:]:
                if earlier.when is None or earlier.exact is None:
                    continue
                if (latest_weight.when.day - earlier.when.day).days > days:
                    continue
                compared = True
                loss = (earlier.exact - latest_weight.exact) / earlier.exact * 100
                if at_least(loss, percent):
                    because = f"{show(loss, 1)} % less than on {earlier.when}"
                    return Finding(self.text, Answer.MET, because, (earlier.source, latest_weight.source))
        if not compared:
            return Finding(
                self.text, Answer.UNKNOWN, "no earlier weight to compare with", (latest_weight.source,)
            )
        return Finding(self.text, Answer.NOT_MET, "no such loss", (latest_weight.source,))
