"""Takes a new configuration from the site's files without a restart; the last good one stays in force."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog

from cds_service import __version__
from cds_service.clients.load import ProfileError
from cds_service.clients.profile import ClientProfile
from cds_service.configuration import load_configuration
from cds_service.engine import Engine, build_engine
from cds_service.settings import SettingsError
from cds_service.state import ReloadProblem

log = structlog.get_logger()


async def reload(engine: Engine) -> bool:
    """Read the files again; True if what they say is in force now. Calls under way end as they began.

    Rule modes, value sets, thresholds, approvals and clients come from the files and are read anew; what
    comes from the environment needs a restart.
    """
    try:
        other = await asyncio.to_thread(_prepared, engine)
    except ProfileError as error:
        for problem in error.problems:
            log.error("reload_refused", setting="CDS_CLIENTS", reason=problem)  # noqa: TRY400
        # What is wrong with a profile may name an address, so that is for the log alone.
        reason = f"client profiles: {len(error.problems)} problem(s), see the log"
        return _refused(engine, "CDS_CLIENTS", reason)
    except SettingsError as error:
        log.error("reload_refused", setting=error.setting, reason=str(error))  # noqa: TRY400
        return _refused(engine, error.setting or "settings", str(error))
    # Whatever it is, a service that answers must go on answering.
    except Exception as error:  # noqa: BLE001
        log.error("reload_refused", error_class=type(error).__name__)  # noqa: TRY400
        return _refused(engine, "configuration", type(error).__name__)
    _swap(engine, other)
    return True


def _prepared(engine: Engine) -> Engine:
    other = build_engine(
        engine.settings,
        store=engine.store,
        configuration=load_configuration(engine.settings),
        keys=engine.keys,
        fhir=engine.fhir,
        metrics=engine.metrics,
    )
    other.warm()
    return other


def _refused(engine: Engine, setting: str, reason: str) -> bool:
    engine.state.problem = ReloadProblem(setting, reason, datetime.now(UTC))
    engine.metrics.reloads.labels("refused").inc()
    return False


def _swap(engine: Engine, other: Engine) -> None:
    before, parts = engine.config_hash, engine.config_parts
    changed = tuple(name for name, value in other.config_parts.items() if parts.get(name) != value)
    if engine.keys is not None:
        engine.keys.forget(_with_other_keys(engine.profiles, other.profiles))
    if engine.verifier is not None and other.verifier is not None:
        other.verifier.last_skew_s = engine.verifier.last_skew_s
    # The old verifier is not closed: calls under way use it, and its threads end when the last one lets go.
    engine.adopt(other)
    engine.state.problem = None
    engine.state.reloaded = datetime.now(UTC)
    engine.metrics.reloads.labels("taken").inc()
    log.info("reloaded", before=before, configuration=engine.config_hash, changed=", ".join(changed))
    if engine.store is not None and changed:
        engine.store.note_configuration(before, engine.config_hash, changed, __version__)


def _with_other_keys(old: tuple[ClientProfile, ...], new: tuple[ClientProfile, ...]) -> set[str]:
    """Clients that are gone, or whose keys are pinned or fetched elsewhere now."""
    now = {profile.id: (profile.jwks, profile.jwks_url) for profile in new}
    return {profile.id for profile in old if now.get(profile.id) != (profile.jwks, profile.jwks_url)}
