"""The two steps of an EHR launch. Blocking: the page calls them in a thread.

Sources: SMART App Launch 2.2 (EHR launch, scopes and launch context), RFC 7636 (PKCE), RFC 9207 (iss).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.client import OAuth2Client

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.onboarding import read_scopes
from cds_service.protocol.prefetch import is_safe_id
from cds_service.smart import refusal
from cds_service.smart.cookie import Pending, Sealer
from cds_service.smart.endpoints import Exchange, discover
from cds_service.trend import trend_service

CALLBACK = "/trend/callback"
_LONGEST = 4_000
_STATE_CHARACTERS, _VERIFIER_CHARACTERS = 40, 64
_SCOPE_ERRORS = frozenset({"invalid_scope"})


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes next, and what it must bring back."""

    url: str
    pending: Pending


@dataclass(frozen=True, slots=True)
class Granted:
    """Access to one patient's record, for this page only; `repr` never shows the token."""

    profile: ClientProfile
    base: str
    patient: str
    token: str = field(repr=False)
    rule: str | None


class _AppContext(msgspec.Struct):
    """What our own card gave the link to take along."""

    rule: str | None = None


def sealer_of(engine: Engine) -> Sealer:
    return Sealer(engine.settings.hash_key.get_secret_value().encode())


def begin(engine: Engine, iss: str, launch: str) -> Begun:
    """First step: find the EHR, and send the browser there.

    Raises:
        LaunchRefused: parameters missing, an EHR without a profile, or one whose sign-in cannot be used.
    """
    if not iss or not launch or len(iss) > _LONGEST or len(launch) > _LONGEST:
        raise refusal.incomplete()
    profile, base = _known(engine, iss)
    https = engine.settings.environment == "production"
    found = discover(engine.fhir.exchange, profile, base, https=https)
    state, verifier = generate_token(_STATE_CHARACTERS), generate_token(_VERIFIER_CHARACTERS)
    client = _client(engine, profile)
    url, _ = client.create_authorization_url(
        found.authorize, state=state, code_verifier=verifier, aud=base, launch=launch
    )
    pending = Pending(state=state, verifier=verifier, iss=base, client=profile.id, token_url=found.token)
    return Begun(url, pending)


def finish(engine: Engine, answer: Mapping[str, str], cookie: str | None) -> Granted:
    """Second step: the EHR sent the browser back; exchange the code for access.

    Args:
        engine: holds profiles and the FHIR client.
        answer: query parameters of the callback.
        cookie: what `Sealer.seal` made of the first step.

    Raises:
        LaunchRefused: for whatever does not fit, in words for the reader.
    """
    pending = sealer_of(engine).open(cookie) if cookie else None
    if pending is None:
        raise refusal.not_launched()
    if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
        raise refusal.wrong_state()
    if "error" in answer:
        raise refusal.scope_refused() if answer["error"] in _SCOPE_ERRORS else refusal.denied()
    code = answer.get("code", "")
    if not code or len(code) > _LONGEST:
        raise refusal.no_token()
    profile, base = _known(engine, pending.iss)
    if profile.id != pending.client:
        raise refusal.wrong_state()
    return _granted(profile, base, _token(_client(engine, profile), pending, code))


def _known(engine: Engine, iss: str) -> tuple[ClientProfile, str]:
    """The one profile whose FHIR base this is, letter for letter but for a closing slash."""
    wanted = iss.rstrip("/")
    for profile in engine.profiles:
        if profile.smart is not None:
            for base in profile.fhir_base:
                if base.rstrip("/") == wanted:
                    return profile, base
    raise refusal.unknown_ehr()


def _client(engine: Engine, profile: ClientProfile) -> OAuth2Client:
    if profile.smart is None:
        raise refusal.unknown_ehr()
    ready = trend_service(engine)
    scopes = profile.smart.scopes or (
        "launch",
        *(read_scopes(t.query for t in ready.service.prefetch) if ready else ()),
    )
    return OAuth2Client(
        _Transport(engine.fhir.exchange),
        client_id=profile.smart.client_id,
        client_secret=_secret(profile.smart.secret_file),
        redirect_uri=f"{engine.settings.base_url}{CALLBACK}",
        scope=" ".join(scopes),
        code_challenge_method="S256",
    )


def _secret(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise refusal.not_configured(f"secret-{type(error).__name__}") from None


def _token(client: OAuth2Client, pending: Pending, code: str) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = client.fetch_token(
            pending.token_url, grant_type="authorization_code", code=code, code_verifier=pending.verifier
        )
    except AuthlibBaseError as error:
        # The EHR's own words may name a patient; only the kind of the error decides.
        raise refusal.scope_refused() if error.error in _SCOPE_ERRORS else refusal.no_token() from None
    except (OSError, ValueError, TypeError, AttributeError):
        raise refusal.no_token() from None
    return answer


def _granted(profile: ClientProfile, base: str, answer: Mapping[str, Any]) -> Granted:
    token, patient = answer.get("access_token"), answer.get("patient")
    if not isinstance(token, str) or str(answer.get("token_type", "")).lower() != "bearer":
        raise refusal.no_token()
    if not _grants_results(str(answer.get("scope") or "")):
        raise refusal.scope_refused()
    if not isinstance(patient, str) or not is_safe_id(patient):
        raise refusal.no_patient()
    return Granted(profile, base, patient, token, _rule(answer.get("appContext")))


def _grants_results(scope: str) -> bool:
    """Whether laboratory results may be read. Scopes of an EHR's own making say nothing either way."""
    smart = [item for item in scope.split() if item.startswith(("patient/", "user/", "system/"))]
    return not smart or any(item.split("/")[1].startswith(("Observation.", "*.")) for item in smart)


def _rule(context: object) -> str | None:
    """The rule of the card that led here; anything else in `appContext` is left alone."""
    try:
        if isinstance(context, str):
            return msgspec.json.decode(context[:_LONGEST], type=_AppContext).rule
        return msgspec.convert(context or {}, _AppContext).rule
    except msgspec.MsgspecError:
        return None


class _Transport:
    """What Authlib needs of a session: one POST, through the bounded exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Answer:
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Answer(*self._exchange("POST", url, form=body, headers=sent))


class _Answer:
    """What Authlib reads of an answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code = status
        self._body = body

    def raise_for_status(self) -> None:
        raise ValueError("the token address failed")

    def json(self) -> Any:
        return msgspec.json.decode(self._body)
