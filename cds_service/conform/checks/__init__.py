"""All checks, in the order of the checklist's sections."""

from cds_service.conform.checks import (
    access,
    actions,
    callbacks,
    calls,
    cards,
    discovery,
    feedback,
    links,
    prefetch,
    suggestions,
    templates,
    transport,
)
from cds_service.conform.model import Check

CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (
        transport,
        discovery,
        templates,
        calls,
        prefetch,
        callbacks,
        cards,
        links,
        suggestions,
        actions,
        feedback,
        access,
    )
    for check in module.BOOK
)

__all__ = ["CHECKS"]
