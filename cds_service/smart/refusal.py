"""Why a launch ends without a page, in words for the person who opened it."""

from __future__ import annotations


class LaunchRefused(Exception):
    """Status and plain words; nothing in them comes from the request. `cause` is for the log."""

    def __init__(self, status: int, cause: str, title: str, text: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
        self.title = title
        self.text = text


AGAIN = "Open the page again from the EHR."


def not_launched() -> LaunchRefused:
    text = f"This address is the second step of a launch, and there is no first step to it, or it is too long ago. {AGAIN}"
    return LaunchRefused(400, "no-launch", "The launch has expired or did not begin here", text)


def wrong_state() -> LaunchRefused:
    text = f"The answer of the EHR does not belong to the launch that this browser began. Nothing was read. {AGAIN}"
    return LaunchRefused(400, "state", "The launch does not match", text)


def unknown_ehr() -> LaunchRefused:
    text = "No client profile of this service has this EHR's FHIR address and a SMART client id. Ask the operator of this service."
    return LaunchRefused(403, "iss", "This EHR is not known here", text)


def incomplete() -> LaunchRefused:
    text = f"An EHR opens this page with the parameters iss and launch; at least one is missing. {AGAIN}"
    return LaunchRefused(400, "parameters", "This page is opened by an EHR", text)


def not_configured(cause: str) -> LaunchRefused:
    text = "The EHR's own description of its sign-in (smart-configuration) could not be used. Try again later, or ask the operator of this service."
    return LaunchRefused(502, cause, "The EHR's sign-in could not be reached", text)


def denied() -> LaunchRefused:
    text = (
        "The EHR, or the person signed in, did not grant access to this patient's record. Nothing was read."
    )
    return LaunchRefused(403, "denied", "Access was not granted", text)


def scope_refused() -> LaunchRefused:
    text = "The EHR granted less than the page needs: laboratory results of the patient. Nothing was read. Ask the operator of the EHR which scopes this app may have."
    return LaunchRefused(403, "scope", "Laboratory results were not granted", text)


def no_token() -> LaunchRefused:
    text = f"The EHR did not exchange the launch for access; it may have expired or been used before. {AGAIN}"
    return LaunchRefused(403, "token", "The EHR gave no access", text)


def no_patient() -> LaunchRefused:
    text = f"The EHR opened the page without a patient. Open a patient's chart first. {AGAIN}"
    return LaunchRefused(400, "no-patient", "No patient was chosen", text)


def token_refused() -> LaunchRefused:
    text = f"The EHR refused the access that it had just given; it may have expired. {AGAIN}"
    return LaunchRefused(403, "token-refused", "The EHR refused access to the record", text)


def unknown_patient() -> LaunchRefused:
    text = (
        "The EHR's FHIR server does not know the patient for whom the page was opened. Nothing can be shown."
    )
    return LaunchRefused(404, "unknown-patient", "The patient was not found", text)


def unreadable() -> LaunchRefused:
    text = "The EHR's FHIR server did not answer in time, or not in a way that can be read. Nothing is shown rather than half of it. Try again."
    return LaunchRefused(502, "unreadable", "The record could not be read", text)
