"""Named pieces of card text worked out from the facts, each with the greatest length it may have."""

from hooks.fills.registry import FILLS

__all__ = ["FILLS"]
