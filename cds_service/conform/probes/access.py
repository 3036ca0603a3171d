"""Who is let in: browsers by origin, clients by token."""

from __future__ import annotations

from typing import Any

from cds_service.conform import variants
from cds_service.conform.bodies import copy
from cds_service.conform.desk import JSON, Desk
from cds_service.conform.http import is_loopback
from cds_service.conform.listener import KEYS_PATH, Listener
from cds_service.conform.observed import Entry, Seen
from cds_service.conform.tokens import Forge, bad_tokens, key_set, stranger

FOREIGN_ORIGIN = "https://stranger.conform.invalid"
_SANDBOX = "https://sandbox.cds-hooks.org"
_LOCAL = "http://localhost:8611"


def origin(desk: Desk) -> str:
    """The web origin that should be let in: the one asked for, else that of the CDS Hooks Sandbox."""
    asked = desk.observed.options.origin
    return asked or (_LOCAL if is_loopback(desk.observed.base) else _SANDBOX)


def cross_origin(desk: Desk, entry: Entry) -> None:
    """Preflights of a call, and a plain read, from the wanted origin and from a foreign one."""
    for probe, who in (("preflight", origin(desk)), ("preflight-foreign", FOREIGN_ORIGIN)):
        headers = {
            "Origin": who,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        answer = desk.exchange("OPTIONS", desk.url(entry.id), headers=headers)
        desk.note(Seen(probe, "cors", entry.id, answer))
    url = desk.discovery_url
    answer = desk.exchange("GET", url, headers={"Origin": origin(desk), **desk.credentials(url)})
    desk.note(Seen("cross-origin-read", "cors", entry.id, answer))


def without_token(desk: Desk, entry: Entry, request: dict[str, Any]) -> None:
    """Does a call, a discovery, a feedback need a token at all?"""
    body = variants.encoded(copy(request))
    url = desk.url(entry.id)
    for probe, method, address, content in (
        ("anonymous-call", "POST", url, body),
        ("anonymous-feedback", "POST", f"{url}/feedback", b'{"feedback": []}'),
    ):
        answer = desk.exchange(method, address, headers=JSON, body=content)
        desk.note(Seen(probe, "other", entry.id, answer))
        if probe == "anonymous-call":
            desk.observed.wants_token = answer.status in (401, 403)


def with_bad_tokens(desk: Desk, listener: Listener, entry: Entry | None, request: dict[str, Any]) -> None:
    """One call for each way of being bad; then a good token twice. Without a service, discovery is asked."""
    attacker = stranger()
    listener.keys = key_set(attacker)
    known = desk.signer or stranger(desk.observed.options.issuer or "https://unknown.conform.invalid")
    forge = Forge(known, attacker, f"{listener.origin}{KEYS_PATH}")
    url = desk.url(entry.id) if entry else desk.discovery_url
    for probe, make in bad_tokens(forge).items():
        _present(desk, probe, entry, make(url), request)
    if desk.signer is not None and entry is not None:
        token = desk.signer.good(url)
        for probe in ("token-good", "token-replayed"):
            _present(desk, probe, entry, token, request)


def _present(desk: Desk, probe: str, entry: Entry | None, token: str, request: dict[str, Any]) -> None:
    """A call with a token; every call is another event, so its body differs too."""
    headers = {**JSON, "Authorization": f"Bearer {token}"}
    if entry is None:
        answer = desk.exchange("GET", desk.discovery_url, headers=headers)
    else:
        body = variants.encoded(copy(request))
        answer = desk.exchange("POST", desk.url(entry.id), headers=headers, body=body)
    desk.note(Seen(probe, "other", entry.id if entry else "", answer))
