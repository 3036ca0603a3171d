"""Errors that reach a caller. Each has a status, a stable code and a FHIR issue type.

    CdsError
      BadRequest          400  the call itself is wrong
        ForeignPatient    400
        OrdersWithheld    400
      UnknownService      404
      MethodNotAllowed    405
      BodyTooSlow         408
      NothingAssessable   412  nothing at all could be checked
      BodyTooLarge        413
      UnsupportedEncoding 415
      TooManyCalls        429  of this client
      InternalError       500
      Unavailable         503  not now; try again
        Overloaded        503  more calls than can be answered

A FHIR server that does not answer is never an error here: the missing key becomes a named gap.
Messages never contain anything that came with the request.
"""

from __future__ import annotations


class CdsError(Exception):
    """Base of the tree; `message` is fit for the caller and for a log.

    `retry_after` is in seconds; None where trying again changes nothing.
    """

    status = 500
    code = "CDS-0500"
    issue = "exception"
    retry_after: int | None = None
    reason: str | None = None
    """Label in the metric of refused calls where the code alone says too little."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(CdsError):
    status, code, issue = 400, "CDS-0400", "invalid"


class ForeignPatient(BadRequest):
    """Data of another patient where it must not be: a security event as well as a bad request."""

    code, issue = "CDS-0401P", "security"


class OrdersWithheld(BadRequest):
    """The hook is about orders and the call has none: mostly a mistake in the EHR's registration of us."""

    reason = "no_draft_orders"


class UnknownService(CdsError):
    status, code, issue = 404, "CDS-0404", "not-found"


class MethodNotAllowed(CdsError):
    status, code, issue = 405, "CDS-0405", "not-supported"


class BodyTooSlow(CdsError):
    status, code, issue = 408, "CDS-0408", "timeout"


class NothingAssessable(CdsError):
    status, code, issue = 412, "CDS-0412", "required"


class BodyTooLarge(CdsError):
    status, code, issue = 413, "CDS-0413", "too-long"


class UnsupportedEncoding(CdsError):
    status, code, issue = 415, "CDS-0415", "not-supported"


class TooManyCalls(CdsError):
    status, code, issue, retry_after = 429, "CDS-0429", "throttled", 1


class InternalError(CdsError):
    """Carries an error id by which an operator finds the log line."""


class Unavailable(CdsError):
    status, code, issue, retry_after = 503, "CDS-0503", "transient", 5


class Overloaded(Unavailable):
    code, issue, retry_after = "CDS-0503L", "throttled", 1
