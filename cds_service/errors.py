"""Errors that reach a caller. Each has a status, a stable code and a FHIR issue type.

    CdsError
      BadRequest          400  the call itself is wrong
      UnknownService      404
      MethodNotAllowed    405
      NothingAssessable   412  nothing at all could be checked
      BodyTooLarge        413
      UnsupportedEncoding 415
      InternalError       500
      Unavailable         503  not now; try again

A FHIR server that does not answer is never an error here: the missing key becomes a named gap.
Messages never contain anything that came with the request.
"""

from __future__ import annotations


class CdsError(Exception):
    """Base of the tree; `message` is fit for the caller and for a log."""

    status = 500
    code = "CDS-0500"
    issue = "exception"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(CdsError):
    status, code, issue = 400, "CDS-0400", "invalid"


class ForeignPatient(BadRequest):
    """Data of another patient where it must not be: a security event as well as a bad request."""

    code, issue = "CDS-0401P", "security"


class UnknownService(CdsError):
    status, code, issue = 404, "CDS-0404", "not-found"


class MethodNotAllowed(CdsError):
    status, code, issue = 405, "CDS-0405", "not-supported"


class NothingAssessable(CdsError):
    status, code, issue = 412, "CDS-0412", "required"


class BodyTooLarge(CdsError):
    status, code, issue = 413, "CDS-0413", "too-long"


class UnsupportedEncoding(CdsError):
    status, code, issue = 415, "CDS-0415", "not-supported"


class InternalError(CdsError):
    """Carries an error id by which an operator finds the log line."""


class Unavailable(CdsError):
    status, code, issue = 503, "CDS-0503", "transient"
