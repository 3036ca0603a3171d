"""What the browser carries from the first step of a launch to the second: signed, for ten minutes, one per launch."""

from __future__ import annotations

import hashlib
import hmac
import time

import jwt
import msgspec

LIFETIME_S = 600
_ALGORITHM = "HS256"
_PURPOSE = b"smart launch cookie"
_NAME_CHARACTERS = 16


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A launch that has begun. `verifier` is the secret half of PKCE: useless without the code."""

    state: str
    verifier: str
    iss: str
    client: str
    token_url: str


def cookie_name(state: str) -> str:
    """Name of the cookie of one launch: two windows may launch at once."""
    return f"cds_launch_{hashlib.sha256(state.encode()).hexdigest()[:_NAME_CHARACTERS]}"


class Sealer:
    """Signs and opens the cookie, with a key of its own derived from the site's hash key."""

    def __init__(self, site_key: bytes) -> None:
        self._key = hmac.digest(site_key, _PURPOSE, "sha256")

    def seal(self, pending: Pending) -> str:
        claims = {**msgspec.structs.asdict(pending), "exp": int(time.time()) + LIFETIME_S}
        return jwt.encode(claims, self._key, _ALGORITHM)

    def open(self, cookie: str) -> Pending | None:
        """None when it is not ours, was changed or has expired."""
        try:
            claims = jwt.decode(cookie, self._key, [_ALGORITHM], options={"require": ["exp"]})
            return msgspec.convert(claims, Pending)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
