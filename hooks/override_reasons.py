"""Override reasons: HL7 `non-adherence-reason-codes`, one constant per code; rules add their own wording.

Reading of the codes: "recommended action" is review, hold or change; "intended action" is signing as written.
"""

from __future__ import annotations

from cds_service.api import Coded

SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
CODES = frozenset(
    {
        "patient-contraindication",
        "risk-benefit-ratio",
        "mitigate-risk-negative-outcome",
        "action-performed-no-adverse-effect",
        "expert-contradicts",
        "policy-contradicts",
        "patient-ineligible",
        "action-completed",
        "need-more-info",
        "patient-refuses",
        "service-not-available",
        "recipient-does-not-trust",
    }
)


def contraindicated(display: str) -> Coded:
    return Coded("patient-contraindication", display)


def benefit(display: str) -> Coded:
    return Coded("risk-benefit-ratio", display)


def mitigated(display: str) -> Coded:
    return Coded("mitigate-risk-negative-outcome", display)


def tolerated(display: str) -> Coded:
    return Coded("action-performed-no-adverse-effect", display)


def expert(display: str) -> Coded:
    return Coded("expert-contradicts", display)


def policy(display: str) -> Coded:
    return Coded("policy-contradicts", display)


def ineligible(display: str) -> Coded:
    return Coded("patient-ineligible", display)


def done(display: str) -> Coded:
    return Coded("action-completed", display)


def pending(display: str) -> Coded:
    return Coded("need-more-info", display)


def refused(display: str) -> Coded:
    return Coded("patient-refuses", display)


def unavailable(display: str) -> Coded:
    return Coded("service-not-available", display)
