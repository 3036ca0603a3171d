"""Durable records of invocations, cards and feedback, and the shared memory of token ids.

The only package that imports SQLAlchemy and Alembic.
"""

from cds_service.store.errors import StoreConfigError, StoreError, StoreUnavailable
from cds_service.store.records import (
    AuditCard,
    AuditRecord,
    CardFound,
    CardRecord,
    FeedbackResult,
    FeedbackRow,
    InvocationRecord,
    JtiVerdict,
    OutcomeRecord,
    Purged,
    RuleActivity,
)
from cds_service.store.store import Store

__all__ = [
    "AuditCard",
    "AuditRecord",
    "CardFound",
    "CardRecord",
    "FeedbackResult",
    "FeedbackRow",
    "InvocationRecord",
    "JtiVerdict",
    "OutcomeRecord",
    "Purged",
    "RuleActivity",
    "Store",
    "StoreConfigError",
    "StoreError",
    "StoreUnavailable",
]
