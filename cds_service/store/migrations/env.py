"""Runs migrations on the connection that `store.migrate` opened; there is no offline mode."""

from __future__ import annotations

from alembic import context

from cds_service.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # The caller owns the transaction and the lock that goes with it.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
