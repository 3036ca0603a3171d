"""Who may see operators' pages: in production whoever brings the site's operator key, in development everybody.

The key comes as a Bearer token (added by the login proxy in front of us) or as the password of HTTP Basic
(asked for by the browser). Without a key in the settings, production has no such pages at all.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from fastapi import Request, Response

from cds_service.settings import Settings
from cds_service.web.pages import Pages


def offers_operator_pages(settings: Settings) -> bool:
    """Whether this process has pages for operators."""
    return settings.environment == "development" or settings.operator_key is not None


def refusal(request: Request, settings: Settings, pages: Pages) -> Response | None:
    """The answer to somebody who is not an operator; None for an operator."""
    key = settings.operator_key
    if key is None or _brings(request.headers.get("authorization", ""), key.get_secret_value()):
        return None
    answer = pages.message(401, "Operators only", "This page needs the operator key of this site.")
    answer.headers["WWW-Authenticate"] = 'Basic realm="operators", charset="UTF-8"'
    return answer


def _brings(authorization: str, key: str) -> bool:
    scheme, _, credentials = authorization.partition(" ")
    given = credentials.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.encode(), key.encode())
