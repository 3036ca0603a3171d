"""Which mode a rule runs in: client beats site beats default; approval is checked last.

Keys are `rule`, `rule@service` or `*`. `*` lifts a `shadow` default but never an `off` default.
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.rules.rule import Mode
from cds_service.rules.service import RuleUse, Service


def mode_of(
    use: RuleUse,
    service: Service,
    site: Mapping[str, str],
    client: Mapping[str, str],
    *,
    approved: bool,
) -> Mode:
    """The mode of one rule on one service for one client.

    `approved` is False where approvals are enforced and this version of the rule has none: it then runs
    in shadow at most.
    """
    mode = use.mode
    for modes in (site, client):
        specific = modes.get(f"{use.rule.id}@{service.id}", modes.get(use.rule.id))
        if specific is not None:
            mode = Mode(specific)
        elif "*" in modes and mode is not Mode.OFF:
            mode = Mode(modes["*"])
    return Mode.SHADOW if mode is Mode.LIVE and not approved else mode
