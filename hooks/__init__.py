"""Clinical content: services, rules, thresholds, card text, evidence, value sets, case features."""

from hooks.services import SERVICES

__all__ = ["SERVICES"]
