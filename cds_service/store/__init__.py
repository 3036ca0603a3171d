"""Durable records of invocations, cards and feedback, and the shared memory of token ids.

The only package that imports SQLAlchemy and Alembic.
"""

from cds_service.store.errors import StoreConfigError, StoreError, StoreUnavailable
from cds_service.store.records import (
    CardFound,
    CardRecord,
    FeedbackResult,
    FeedbackRow,
    InvocationRecord,
    JtiVerdict,
    OutcomeRecord,
    RuleActivity,
)
from cds_service.store.store import Store

__all__ = [
    "CardFound",
    "CardRecord",
    "FeedbackResult",
    "FeedbackRow",
    "InvocationRecord",
    "JtiVerdict",
    "OutcomeRecord",
    "RuleActivity",
    "Store",
    "StoreConfigError",
    "StoreError",
    "StoreUnavailable",
]
