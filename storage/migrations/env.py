"""Alembic's environment: always on a connection that ``storage.migrations.upgrade`` hands over, in its transaction."""

from alembic import context

from storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
