"""Results, problems and dates among the factors of the patient summary, where no plain criterion will do."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal

from cds_service.api import (
    Answer,
    Facts,
    Finding,
    HasProblem,
    LabAtLeast,
    LabBelow,
    MedicationState,
    Message,
    Precision,
    Text,
    When,
    above,
    below,
    describe,
    in_groups,
    latest,
    tell,
)
from hooks import valuesets as vs
from hooks.analytes import ALBUMIN, ALP, PROTEIN_S, PTH
from hooks.case_features.anticoagulation import VKA
from hooks.case_features.dialysis import dialysis
from hooks.case_features.pth import pth_high, pth_low
from hooks.thresholds import T8, T8_VERY

VINTAGE_YEARS = 5
PTH_VERY_HIGH = Decimal(1000)
"""pg/mL; above it PTH is called very high (PMC10557543, Table 3)."""
LOW_ALBUMIN = LabBelow(ALBUMIN, T8.value, T8.source)
_GENDERS = {
    "female": Message("female"),
    "male": Message("male"),
    "other": Message("other"),
    "unknown": Message("unknown"),
}
_PROTEIN_C_S = (
    vs.PROTEIN_C_DEFICIENCY_SNOMED_LICENSED,
    vs.PROTEIN_S_DEFICIENCY,
    vs.PROTEIN_C_S_ANTITHROMBIN_DEFICIENCY,
)


def pth(facts: Facts) -> Finding:
    """Out of range in either direction (T6, T7), which is printed."""
    high, low = facts.feature(pth_high), facts.feature(pth_low)
    if high.answer is Answer.MET:
        very = very_high_pth(facts)
        because = (
            Message("very high: {because}", because=high.because)
            if very
            else Message("high: {because}", because=high.because)
        )
        return Finding(high.asked, Answer.MET, because, high.sources)
    if low.answer is Answer.MET:
        return Finding(low.asked, Answer.MET, Message("low: {because}", because=low.because), low.sources)
    return high if high.answer is Answer.UNKNOWN else low


def very_high_pth(facts: Facts) -> bool:
    lab = latest(facts, PTH).lab
    return lab is not None and lab.low is not None and above(lab.low, PTH_VERY_HIGH)


def albumin(facts: Facts) -> Finding:
    """Below 3.5 g/dL (T8); below 3.0 is very low."""
    finding = LOW_ALBUMIN.evaluate(facts)
    very = finding.answer is Answer.MET and very_low_albumin(facts)
    because = Message("very low: {because}", because=finding.because) if very else finding.because
    return Finding(finding.asked, finding.answer, because, finding.sources)


def very_low_albumin(facts: Facts) -> bool:
    lab = latest(facts, ALBUMIN).lab
    return lab is not None and lab.high is not None and below(lab.high, T8_VERY.value)


def female(facts: Facts) -> Finding:
    """By Patient.gender; `other` and `unknown` say nothing about it."""
    gender = facts.patient.gender if facts.patient else None
    answer = {"female": Answer.MET, "male": Answer.NOT_MET}.get(gender or "", Answer.UNKNOWN)
    sources = (facts.patient.source,) if facts.patient else ()
    if gender is None:
        return Finding("female sex", answer, Message("not recorded"), sources)
    because = Message("recorded as {gender}", gender=_GENDERS.get(gender, gender))
    return Finding("female sex", answer, because, sources)


def thrombophilia(facts: Facts) -> tuple[Finding, bool]:
    """The answer, and whether it is "not evaluable": protein C and S read low on a vitamin K antagonist.

    A deficiency of protein C or S that was recorded while a VKA was taken (or without dates, beside one) is
    not evaluable; recorded before, or for any other thrombophilia, it counts.
    """
    asked = HasProblem((vs.THROMBOPHILIA,))
    found = [p for p in facts.problems or () if p.active and in_groups(p.sets, asked.groups)]
    doubtful: list[tuple[Text, str]] = []
    for problem in found:
        about_c_or_s = in_groups(problem.sets, _PROTEIN_C_S)
        if not (about_c_or_s and _on_vka_at(facts, problem.since)):
            return Finding(asked, Answer.MET, describe(problem), (problem.source,)), False
        doubtful.append((describe(problem), problem.source))
    lab = latest(facts, PROTEIN_S).lab
    if lab is not None and lab.reference_low and lab.high is not None and below(lab.high, lab.reference_low):
        because = Message("{result}, below the laboratory's limit", result=tell(lab, PROTEIN_S))
        if not _on_vka_at(facts, lab.when):
            return Finding(asked, Answer.MET, because, (lab.source,)), False
        doubtful.append((because, lab.source))
    if doubtful:
        because = Message("{found}: a VKA lowers protein C and S", found=doubtful[0][0])
        return Finding(asked, Answer.UNKNOWN, because, tuple(source for _, source in doubtful)), True
    return asked.evaluate(facts), False


def _on_vka_at(facts: Facts, when: When | None) -> bool:
    """A VKA was taken at that time, or it cannot be ruled out."""
    if facts.medications is None:
        return True
    for item in facts.medications:
        if not in_groups(item.sets, VKA):
            continue
        begun = item.started is None or when is None or item.started.instant <= when.instant
        over = item.state is MedicationState.ENDED and item.ended is not None
        if begun and not (over and item.ended and (when is None or item.ended.instant < when.instant)):
            return True
    return False


def vintage_or_pd(facts: Facts) -> Finding:
    """Dialysis for more than 5 years (exactly 5 do not count), or peritoneal dialysis."""
    text = f"dialysis for more than {VINTAGE_YEARS} years, or peritoneal dialysis"
    status = facts.feature(dialysis)
    if status.modality == "PD":
        return Finding(text, Answer.MET, Message("peritoneal dialysis"), status.sources)
    if status.since is None:
        return Finding(text, Answer.UNKNOWN, Message("start of dialysis not recorded"), status.sources)
    because = Message("on record since {when}", when=status.since)
    today = facts.as_of.astimezone(facts.zone).date()
    first, last = _possible_days(status.since)
    if _years_later(last, VINTAGE_YEARS) < today:
        return Finding(text, Answer.MET, because, status.sources)
    if _years_later(first, VINTAGE_YEARS) < today:
        return Finding(text, Answer.UNKNOWN, because, status.sources)
    if status.modality is None:
        return Finding(
            text, Answer.UNKNOWN, Message("{because}; modality not recorded", because=because), status.sources
        )
    if facts.may_lack("procedures"):
        return Finding(
            text,
            Answer.UNKNOWN,
            Message("{because}; procedures not readable", because=because),
            status.sources,
        )
    return Finding(text, Answer.NOT_MET, because, status.sources)


def _possible_days(when: When) -> tuple[date, date]:
    """First and last day that a date of this precision can mean."""
    first = when.day
    if when.precision is Precision.YEAR:
        return first, first.replace(month=12, day=31)
    if when.precision is Precision.MONTH:
        return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first, first


def _years_later(day: date, years: int) -> date:
    if day.year + years > date.max.year:  # a slip of the pen in the record
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def high_alp(facts: Facts) -> Finding:
    """Above the upper limit that came with the result; without one it cannot be told."""
    text = "alkaline phosphatase above the laboratory's upper limit"
    lab = latest(facts, ALP).lab
    if lab is None:
        return Finding(text, Answer.UNKNOWN, latest(facts, ALP).why_none)
    upper = lab.reference_high
    if upper is None:
        return Finding(text, Answer.UNKNOWN, Message("no reference range with the result"), (lab.source,))
    return LabAtLeast(ALP, upper, "the laboratory's upper limit", strictly=True).evaluate(facts)
