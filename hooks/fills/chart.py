"""Words for the patient view and discharge rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from cds_service.api import (
    Answer,
    Facts,
    FillSpec,
    Joined,
    MedicationState,
    Message,
    Number,
    Shortened,
    Text,
    in_groups,
    latest,
)
from hooks import valuesets as vs
from hooks.analytes import INR
from hooks.case_features.chart import (
    ACTIVE_VITAMIN_D_NOW,
    IMMUNOSUPPRESSANT_NOW,
    ORAL_CALCIUM_NOW,
    PRESCRIPTION_REVIEW,
    VASCULAR_PROCEDURE,
    VKA_NOW,
)
from hooks.case_features.dialysis import OnDialysis, dialysis, modality_words
from hooks.case_features.factor_medicines import tell_medicines
from hooks.case_features.factors import present
from hooks.case_features.modality import OnPeritonealDialysis
from hooks.case_features.skin import NO_SITE, lesions
from hooks.fills.factor_table import LINE, factor_line, factor_lines

_TOP = 60
_TOP_FACTORS = 3
_SOURCES = {
    "patient": Message("patient data"),
    "conditions": Message("problem list"),
    "labs": Message("laboratory results"),
    "medications": Message("current medicines"),
    "procedures": Message("procedures"),
    "encounters": Message("encounters"),
    "requests": Message("earlier requests"),
    "vitals": Message("measurements"),
}
_ASSOCIATIONS = (
    (vs.HYPERPARATHYROIDISM_PRIMARY, Message("primary hyperparathyroidism")),
    (vs.BREAST_CANCER, Message("breast cancer")),
    (vs.CIRRHOSIS, Message("cirrhosis")),
    (vs.CHOLANGIOCARCINOMA, Message("cholangiocarcinoma")),
    (vs.CROHN_DISEASE, Message("Crohn disease")),
    (vs.RHEUMATOID_ARTHRITIS, Message("rheumatoid arthritis")),
    (vs.SYSTEMIC_LUPUS_ERYTHEMATOSUS, Message("systemic lupus erythematosus")),
    (vs.SARCOIDOSIS, Message("sarcoidosis")),
    (vs.MILK_ALKALI_SYNDROME, Message("milk-alkali syndrome")),
    (vs.HYPERVITAMINOSIS_D, Message("hypervitaminosis D")),
)


# --- rule 8: the summary ----------------------------------------------------------------------------


def top(facts: Facts) -> Text:
    """Up to three factors that are present, as many as fit; calciphylaxis itself when there is none."""
    labels = [item.label for item in facts.feature(present)[:_TOP_FACTORS]]
    return Joined(", ", labels, most=_TOP) or Message("calciphylaxis on record")


def dialysis_header(facts: Facts) -> Text:
    """`haemodialysis, since 2 Mar 2024; evidence: End stage renal disease (N18.6), ...`."""
    status = facts.feature(dialysis)
    since = Message("since {when}", when=status.since) if status.since else Message("start not recorded")
    return Message(
        "{modality}, {since}; evidence: {evidence}",
        modality=modality_words(status),
        since=since,
        evidence=Shortened(status.because, LINE),
    )


def other_associations(facts: Facts) -> Text | None:
    """Coded diseases that non-uraemic cases were reported with, by names of our own."""
    active = [problem for problem in facts.problems or () if problem.active]
    found = [name for group, name in _ASSOCIATIONS if any(in_groups(p.sets, (group,)) for p in active)]
    if not found:
        return None
    return Message("Also associated: {diseases}", diseases=Joined(", ", found))


def vitamin_k_status(facts: Facts) -> Text | None:
    on_vka = VKA_NOW.evaluate(facts).answer is Answer.MET
    return Message("Vitamin K status unknown - not measured") if on_vka else None


def dialysis_prescription_review(facts: Facts) -> Text | None:
    """When Ca x P, calcium or PTH is above its limit (T1, T3, T6)."""
    if PRESCRIPTION_REVIEW.evaluate(facts).answer is not Answer.MET:
        return None
    return Message("Review of the dialysis prescription (time, frequency, dialysate calcium) is one option")


def recent_vascular_procedure(facts: Facts) -> Text | None:
    """Leg revascularisation at most 90 days ago with documented calciphylaxis."""
    found = VASCULAR_PROCEDURE.evaluate(facts)
    if found.answer is not Answer.MET:
        return None
    return Message("Recent leg revascularisation: vascular procedures had poor results in reports")


def unread(facts: Facts) -> Text | None:
    """Everything that could not be read, or only in part, and medicines that came without a code we could use."""
    return Joined("; ", (*_unread_sources(facts), _uncoded(facts))) or None


def _unread_sources(facts: Facts) -> Iterator[Text]:
    for key, source in _SOURCES.items():
        if key in facts.failures:
            yield Message("{source} ({reason})", source=source, reason=facts.failures[key])
        elif key in facts.incomplete:
            reasons = Joined("; ", (gap.text for gap in facts.gaps if gap.source == key))
            yield Message("{source} read in part ({reasons})", source=source, reasons=reasons)


def _uncoded(facts: Facts) -> Text | None:
    count = sum(
        item.basis == "none" and not item.coded and item.state is not MedicationState.ENDED
        for item in facts.medications or ()
    )
    if count > 1:
        return Message("{count} uncoded medicines present, not evaluated", count=count)
    return Message("1 uncoded medicine present, not evaluated") if count else None


# --- rules 7, 9, 11, 21, 22 -------------------------------------------------------------------------


def lab_drug(facts: Facts) -> Text:
    """The drug of the order; on the chart the listed medicines that call for mineral labs."""
    if facts.order is not None:
        return facts.order.title
    found = [item for now in (VKA_NOW, ACTIVE_VITAMIN_D_NOW, ORAL_CALCIUM_NOW) for item in now.found(facts)]
    return Joined(", ", (item.title for item in found))


def cohort(facts: Facts) -> Text:
    on_dialysis = OnDialysis().evaluate(facts).answer is Answer.MET
    return Message("Dialysis") if on_dialysis else Message("Kidney transplant")


def lesion(facts: Facts) -> Text | None:
    found = facts.feature(lesions).lead
    return found.kind if found else None


def lesion_evidence(facts: Facts) -> Text | None:
    found = facts.feature(lesions).lead
    if found is None or found.has_site:
        return found.evidence if found else None
    return Joined("; ", (found.evidence, NO_SITE))


def vka(facts: Facts) -> Text:
    # By their ids: the same words however the EHR sorts its list.
    return Joined(", ", (item.title for item in sorted(VKA_NOW.found(facts), key=attrgetter("source"))))


def inr_line(facts: Facts) -> Text:
    """The last INR with its date; older than 35 days it is shown, and said to be old."""
    found = latest(facts, INR)
    lab = found.lab or next((each for each in facts.results(INR) or () if each.problem is None), None)
    if lab is None or lab.when is None:
        reason = facts.failures.get(INR.source)
        return Message("not readable ({reason})", reason=reason) if reason else Message("no result on record")
    days = facts.age_days(lab.when)
    value = lab.as_sent if lab.exact is None else Number(lab.exact, 1)
    if days > INR.ageing_days:
        return Message("{value} on {when} ({days} days old)", value=value, when=lab.when, days=days)
    return Message("{value} on {when}", value=value, when=lab.when)


def exposure(facts: Facts) -> tuple[Text, ...]:
    """The first three factors: vitamin K antagonist, active vitamin D, calcium."""
    return factor_lines(facts)[:3]


def immunosuppressants(facts: Facts) -> Text:
    return tell_medicines(IMMUNOSUPPRESSANT_NOW.found(facts))


def calciphylaxis_factor(facts: Facts) -> Text:
    return factor_line(facts, "calciphylaxis-status")


def transplant_factor(facts: Facts) -> Text:
    return factor_line(facts, "kidney-transplant")


def pd_evidence(facts: Facts) -> Text | None:
    found = OnPeritonealDialysis().evaluate(facts)
    return found.because if found.answer is Answer.MET else None


_LONG = 600
FILLS: Mapping[str, FillSpec] = {
    "top": FillSpec(top, _TOP, "vitamin K antagonist, high Ca x P, low albumin"),
    "lab_drug": FillSpec(lab_drug, 30, "warfarin, calcitriol"),
    "cohort": FillSpec(cohort, 17, "Kidney transplant"),
    "lesion": FillSpec(lesion, 45, "non-pressure ulcer of thigh, buttock or calf"),
    "vka": FillSpec(vka, 30, "warfarin"),
    # Lines of the detail
    "dialysis_header": FillSpec(
        dialysis_header, _LONG, "haemodialysis, since 2 Mar 2024; evidence: Dependence on dialysis"
    ),
    "factor_lines": FillSpec(
        factor_lines, _LONG, "high phosphate (modifiable): present, phosphate 6.4 mg/dL, 12 Nov 2026"
    ),
    "other_associations": FillSpec(other_associations, _LONG, "Also associated: sarcoidosis"),
    "vitamin_k_status": FillSpec(vitamin_k_status, _LONG, "Vitamin K status unknown - not measured"),
    "dialysis_prescription_review": FillSpec(
        dialysis_prescription_review, _LONG, "Review of the dialysis prescription is one option"
    ),
    "recent_vascular_procedure": FillSpec(
        recent_vascular_procedure, _LONG, "Recent leg revascularisation: poor results in reports"
    ),
    "unread": FillSpec(
        unread, _LONG, "procedures (not permitted); 2 uncoded medicines present, not evaluated"
    ),
    "lesion_evidence": FillSpec(lesion_evidence, _LONG, "Livedo reticularis (L95.0), since 3 Nov 2026"),
    "inr_line": FillSpec(inr_line, _LONG, "2.4 on 12 Nov 2026"),
    "exposure": FillSpec(
        exposure, _LONG, "vitamin K antagonist (modifiable): present, warfarin since 3 Jan 2025"
    ),
    "immunosuppressants": FillSpec(immunosuppressants, _LONG, "tacrolimus since 2 Jan 2026"),
    "calciphylaxis_factor": FillSpec(
        calciphylaxis_factor, _LONG, "calciphylaxis on record: present, confirmed: Calciphylaxis (237900002)"
    ),
    "transplant_factor": FillSpec(
        transplant_factor, _LONG, "kidney transplant: present, Kidney transplant status (Z94.0), since 2019"
    ),
    "pd_evidence": FillSpec(pd_evidence, _LONG, "Peritoneal dialysis, 12 Nov 2026"),
}
