"""Where an EHR signs people in: read from its `.well-known/smart-configuration`, trusted only on known origins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from cds_service.clients.profile import ClientProfile
from cds_service.smart import refusal

Exchange = Callable[..., tuple[int, bytes]]
"""`FhirClient.exchange`."""


class _Document(msgspec.Struct):
    authorization_endpoint: str
    token_endpoint: str
    code_challenge_methods_supported: list[str] = []


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of one EHR's authorisation server."""

    authorize: str
    token: str


def discover(exchange: Exchange, profile: ClientProfile, base: str, *, https: bool) -> Endpoints:
    """The EHR's sign-in addresses. Blocks.

    Raises:
        LaunchRefused: not reachable, not understood, without PKCE, or at an origin the profile does not name.
    """
    try:
        status, body = exchange("GET", f"{base.rstrip('/')}/.well-known/smart-configuration")
        if status != HTTPStatus.OK:
            raise refusal.not_configured(f"discovery-{status}")
        document = msgspec.json.decode(body, type=_Document)
    except (OSError, ValueError) as error:
        # Every failure of requests is an OSError; msgspec's are ValueErrors. Only the kind may be logged.
        raise refusal.not_configured(f"discovery-{type(error).__name__}") from None
    methods = document.code_challenge_methods_supported
    if methods and "S256" not in methods:
        raise refusal.not_configured("no-pkce")
    allowed = {_origin(item) for item in (base, *(profile.smart.origins if profile.smart else ()))}
    for address in (document.authorization_endpoint, document.token_endpoint):
        if _origin(address) not in allowed or (https and not address.startswith("https://")):
            raise refusal.not_configured("foreign-origin")
    return Endpoints(document.authorization_endpoint, document.token_endpoint)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for anything with credentials in it or that is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if parts.username is not None or not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port
