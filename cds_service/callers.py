"""Which client calls: by its token, or the anonymous profile of development."""

from __future__ import annotations

from cds_service.clients.profile import ClientProfile
from cds_service.clients.verify import Cause, Unauthenticated
from cds_service.engine import Engine


async def caller_profile(engine: Engine, headers: dict[str, str], path: str, body: bytes) -> ClientProfile:
    """The profile of the caller.

    Raises:
        Unauthenticated: a token is required and this one is not good.
    """
    if engine.verifier is not None and (
        engine.settings.authenticated or _bearer_of_known_client(engine, headers)
    ):
        audience = (f"{engine.settings.base_url}{path}", engine.settings.base_url)
        caller = await engine.verifier.verify(headers.get("authorization"), audience, body)
        return caller.profile
    if engine.anonymous is None:
        raise Unauthenticated(Cause.MISSING)
    return engine.anonymous


def _bearer_of_known_client(engine: Engine, headers: dict[str, str]) -> bool:
    """With authentication off, a token is looked at only when client profiles are configured."""
    return bool(engine.profiles) and headers.get("authorization", "").lower().startswith("bearer ")
