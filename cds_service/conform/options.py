"""What a run may be told about the service under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec


class OptionsError(Exception):
    """An option cannot be used; the message names it and repeats nothing secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything has a default, so that a URL is enough.

    Attributes:
        bodies: requests of one's own (bare, or case files with a member `request`), used for their hook.
        token: bearer token sent with every call, as it is.
        key: private JWK that signs a fresh token for each call; needs `issuer`.
        issuer: `iss` of those tokens, as the service knows it.
        jku: address of the key set in the header of those tokens, where the service expects it.
        auth: the service must ask for a token.
        production: judge it as a production service: https, no open CORS.
        origin: the web origin that must be let in.
        listen_port: port on 127.0.0.1 at which we play FHIR server; 0 takes any.
        budget_ms: median time for one answer.
        timeout_s: after this long there is no answer.
        skip: ids of checks to leave out.
        feedback: whether to send feedback, which the service may store.
    """

    bodies: tuple[bytes, ...] = ()
    token: str | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    issuer: str | None = None
    jku: str | None = None
    auth: bool = False
    production: bool = False
    origin: str | None = None
    listen_port: int = 0
    budget_ms: int = 500
    timeout_s: float = 10.0
    skip: frozenset[str] = frozenset()
    feedback: bool = True

    def requests(self) -> list[tuple[str | None, dict[str, Any]]]:
        """The bodies given, each with the service it names.

        Raises:
            OptionsError: a body is not a CDS Hooks request or a case file.
        """
        found: list[tuple[str | None, dict[str, Any]]] = []
        for content in self.bodies:
            try:
                value = msgspec.json.decode(content)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise OptionsError("a body is not JSON") from None
            case = value if isinstance(value, dict) else {}
            request = case.get("request", case)
            if not isinstance(request, dict) or not isinstance(request.get("hook"), str):
                raise OptionsError("a body is neither a CDS Hooks request nor a case file")
            service = case.get("service") if "request" in case else None
            found.append((service if isinstance(service, str) else None, request))
        return found
