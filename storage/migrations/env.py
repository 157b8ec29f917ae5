"""What Alembic runs: the migrations, on the connection and in the transaction that `storage.migrate` gives it."""

from alembic import context

import storage.unit_of_work  # noqa: F401 (declares every table)
from storage.base import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
