"""Suggestion kinds: intent only, no FHIR. At most one action each; medicines are never created or changed."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.rules.criteria import Criterion


@dataclass(frozen=True, slots=True)
class RemoveDraft:
    """Delete the draft order of this very request. `when` must be MET, else it is not offered."""

    label: str
    when: Criterion | None = None


@dataclass(frozen=True, slots=True)
class OrderLab:
    """Create a draft laboratory order from the order catalogue (`lab.calcium`, ...)."""

    key: str
    when: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Refer:
    """Create a draft referral from the order catalogue (`referral.nephrology`, ...)."""

    key: str
    when: Criterion | None = None


Suggestion = RemoveDraft | OrderLab | Refer
