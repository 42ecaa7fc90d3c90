"""Alembic's entry: migrations run on the connection that the warehouse hands over, inside its transaction."""

from alembic import context

from disclosure_etl.warehouse.dimension_tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
