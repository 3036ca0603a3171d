"""Is the caller one of our clients? CDS Hooks 2.0.1, "Trusting CDS Clients".

The checks run in the order of the published best practice: issuer, audience, times, tenant, signature, token
id. Every failure looks the same from outside; what it was is for our log and metrics only.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from jwt import PyJWS
from jwt.exceptions import InvalidTokenError

from cds_service.clients.jwks import ALGORITHMS, PublicKey
from cds_service.clients.keys import KeyCache
from cds_service.clients.profile import ClientProfile
from cds_service.store.records import JtiVerdict

Remember = Callable[[str, str, str, float], Awaitable[JtiVerdict]]
"""(client id, jti, body hash, seconds since 1970 until which to remember) -> verdict."""

MAX_TOKEN = 16_384
MAX_JTI = 512
MAX_LOGGED = 200
# These take half a millisecond and let other threads run meanwhile; RSA is faster than the change of thread.
_SLOW = frozenset({"ES384"})
_VERIFY_THREADS = 2


class Cause(StrEnum):
    """Why a caller was not accepted: label of a metric and field of a log line, never part of an answer."""

    MISSING = "missing"
    MALFORMED = "malformed"
    CLAIMS = "claims"
    ISSUER = "issuer"
    TENANT = "tenant"
    ALGORITHM = "algorithm"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    LIFETIME = "lifetime"
    JKU = "jku"
    UNKNOWN_KEY = "unknown-key"
    KEY_MISMATCH = "key-mismatch"
    SIGNATURE = "signature"
    REPLAY = "replay"
    ERROR = "error"


class Unauthenticated(Exception):
    """Answer with a bare 401. `cause` and `log_fields` are for us; the text is the same for every cause.

    `log_fields` holds the unverified issuer, tenant and token id, cut short; never the token.
    """

    def __init__(self, cause: Cause, log_fields: dict[str, str] | None = None) -> None:
        super().__init__("Unauthenticated")
        self.cause = cause
        self.log_fields = log_fields or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller that may be served.

    `jti` is None for an anonymous caller. `repeat` is true if the same call came in moments ago and is to be
    answered again. Times are seconds since 1970.
    """

    profile: ClientProfile
    jti: str | None = None
    tenant: str | None = None
    issued_at: float | None = None
    expires_at: float | None = None
    repeat: bool = False


class _Claims(msgspec.Struct):
    iss: str
    aud: str | list[str]
    exp: float
    iat: float
    jti: str
    nbf: float | None = None
    tenant: str | None = None


# No repr: a traceback or a debugger's log must not show a token.
@dataclass(frozen=True, slots=True, repr=False)
class _Token:
    header: dict[str, Any]
    claims: _Claims
    signed: bytes
    signature: bytes


_decode_claims = msgspec.json.Decoder(_Claims).decode


class JwtVerifier:
    """Verifies the token of a call against the client profiles.

    Args:
        profiles: clients that may call.
        keys: their public keys.
        remember: shared memory of token ids, such as `Store.remember_jti`.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        profiles: Iterable[ClientProfile],
        keys: KeyCache,
        remember: Remember,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._by_issuer: dict[str, list[ClientProfile]] = {}
        for profile in profiles:
            if profile.issuer is not None:
                self._by_issuer.setdefault(profile.issuer, []).append(profile)
        self._keys = keys
        self._remember = remember
        self._clock = clock
        self._jws = PyJWS(algorithms=ALGORITHMS)
        self._executor = ThreadPoolExecutor(_VERIFY_THREADS, thread_name_prefix="jwt-verify")
        self.last_skew_s: float | None = None
        """Our clock minus `iat` of the latest accepted token, in seconds; far from zero means skew."""

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def verify(self, authorization: str | None, audience_urls: Collection[str], body: bytes) -> Caller:
        """Accept or refuse a call.

        Args:
            authorization: the `Authorization` header as it came.
            audience_urls: our own URLs of the endpoint called, from settings, never from the Host header.
            body: the request's body; the same token with another body is a replay.

        Raises:
            Unauthenticated: for every reason, foreseen or not.
        """
        token: _Token | None = None
        try:
            token = self._read(authorization)
            if isinstance(audience_urls, str):
                # `in` would accept any part of it.
                raise TypeError("audience_urls must be a collection of URLs")  # noqa: TRY301  # refused below
            profile = self._profile(token.claims)
            self._check_claims(token, profile, audience_urls)
            await self._check_signature(token, profile)
            return await self._check_replay(token.claims, profile, body)
        except Unauthenticated as refused:
            refused.log_fields = {**_log_fields(token), **refused.log_fields}
            raise
        # A library may raise anything on hostile input; no error of ours may let a caller in or answer 500.
        except Exception as error:  # noqa: BLE001
            fields = {**_log_fields(token), "error_class": type(error).__name__}
            raise Unauthenticated(Cause.ERROR, fields) from None

    def _read(self, authorization: str | None) -> _Token:
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(Cause.MISSING)
        if len(token) > MAX_TOKEN:
            raise Unauthenticated(Cause.MALFORMED)
        try:
            # Parsed without checking the signature, which needs the issuer's key; refuses unknown `crit`.
            parsed = self._jws.decode_complete(token, options={"verify_signature": False})
        except (InvalidTokenError, UnicodeError):
            raise Unauthenticated(Cause.MALFORMED) from None
        try:
            claims = _decode_claims(parsed["payload"])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unauthenticated(Cause.CLAIMS) from None
        return _Token(
            header=parsed["header"],
            claims=claims,
            signed=token.rpartition(".")[0].encode("ascii"),
            signature=parsed["signature"],
        )

    def _profile(self, claims: _Claims) -> ClientProfile:
        """The client that the token claims to come from. Several share an issuer only by tenant."""
        candidates = self._by_issuer.get(claims.iss)
        if candidates is None:
            raise Unauthenticated(Cause.ISSUER)
        for profile in candidates:
            if profile.tenant is None or profile.tenant == claims.tenant:
                return profile
        raise Unauthenticated(Cause.TENANT)

    def _check_claims(self, token: _Token, profile: ClientProfile, audience_urls: Collection[str]) -> None:
        claims = token.claims
        if token.header.get("alg") not in profile.algorithms:
            raise Unauthenticated(Cause.ALGORITHM)
        meant_for = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if not any(one in audience_urls or one in profile.audience for one in meant_for):
            raise Unauthenticated(Cause.AUDIENCE)
        now, leeway = self._clock(), profile.leeway_s
        if claims.exp + leeway < now:
            raise Unauthenticated(Cause.EXPIRED)
        if max(claims.iat, claims.nbf or 0) - leeway > now:
            raise Unauthenticated(Cause.NOT_YET_VALID)
        if not 0 < claims.exp - claims.iat <= profile.max_token_age_s:
            raise Unauthenticated(Cause.LIFETIME)
        if not 0 < len(claims.jti) <= MAX_JTI:
            raise Unauthenticated(Cause.CLAIMS)

    async def _check_signature(self, token: _Token, profile: ClientProfile) -> None:
        # A token may repeat the address we know. Another one means that it does not come from this client,
        # or that its configuration has changed; it is not looked at either way.
        jku = token.header.get("jku")
        if profile.jwks_url is not None and jku is not None and jku != profile.jwks_url:
            raise Unauthenticated(Cause.JKU)
        kid = token.header.get("kid")
        key = await self._keys.find(profile, kid) if isinstance(kid, str) else None
        if key is None:
            raise Unauthenticated(Cause.UNKNOWN_KEY)
        algorithm: str = token.header["alg"]
        if algorithm not in key.algorithms:
            raise Unauthenticated(Cause.KEY_MISMATCH)
        if algorithm in _SLOW:
            loop = asyncio.get_running_loop()
            genuine = await loop.run_in_executor(self._executor, self._genuine, token, algorithm, key)
        else:
            genuine = self._genuine(token, algorithm, key)
        if not genuine:
            raise Unauthenticated(Cause.SIGNATURE)

    def _genuine(self, token: _Token, algorithm: str, key: PublicKey) -> bool:
        # The algorithm object rather than `decode`: that would parse and check the token a second time.
        verifier = self._jws.get_algorithm_by_name(algorithm)
        return verifier.verify(token.signed, verifier.prepare_key(key.key), token.signature)

    async def _check_replay(self, claims: _Claims, profile: ClientProfile, body: bytes) -> Caller:
        until = claims.exp + profile.leeway_s
        body_hash = hashlib.sha256(body).hexdigest()
        verdict = await self._remember(profile.id, claims.jti, body_hash, until)
        if verdict not in (JtiVerdict.NEW, JtiVerdict.REPEAT):
            raise Unauthenticated(Cause.REPLAY)
        self.last_skew_s = self._clock() - claims.iat
        return Caller(
            profile=profile,
            jti=claims.jti,
            tenant=claims.tenant,
            issued_at=claims.iat,
            expires_at=claims.exp,
            repeat=verdict is JtiVerdict.REPEAT,
        )


def _log_fields(token: _Token | None) -> dict[str, str]:
    """What may be logged, cut short and without characters that would break a line."""
    if token is None:
        return {}
    claims = token.claims
    given = {"issuer": claims.iss, "tenant": claims.tenant, "jti": claims.jti}
    return {
        name: "".join(c if c.isprintable() else "?" for c in value[:MAX_LOGGED])
        for name, value in given.items()
        if value is not None
    }
