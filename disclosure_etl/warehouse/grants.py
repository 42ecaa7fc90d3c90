"""What the service's role may do on PostgreSQL: as statements that an administrator runs, and no more than the work needs.

What is only ever appended to can be read and inserted, so that not even the service's password changes what was recorded; the owner's
triggers refuse it besides. Upgrading and restoring are the owner's. Not here: running the statements.
"""

from __future__ import annotations

from sqlalchemy.dialects import postgresql

from disclosure_etl.warehouse import (  # noqa: F401 - they enter themselves into the metadata
    decision_tables,
    desk_tables,
    item_table,
    tables,
    version_tables,
)
from disclosure_etl.warehouse.dimension_tables import metadata

# Beside SELECT and INSERT. A table that is not named here is only ever appended to.
_BESIDES = {
    "api_token": ("UPDATE",),
    "baseline": ("UPDATE",),
    "current_block": ("DELETE",),
    "dim_bureau": ("UPDATE",),
    "dim_succession": ("DELETE",),
    "document": ("UPDATE",),
    "fact_observation": ("DELETE",),
    "failure": ("DELETE",),
    "pending": ("DELETE",),
    "person": ("UPDATE",),
    "person_session": ("UPDATE",),
    "proposal": ("UPDATE",),
    "period_norm": ("DELETE",),
    "receipt": ("UPDATE",),
    "run": ("UPDATE",),
    "submission": ("UPDATE",),
    "submission_block": ("UPDATE",),
    "visit": ("UPDATE",),
}
_READ_ONLY = ("alembic_version", "document_move", "state_move")  # what the schema brings with it


def grants(role: str, schema: str = "public") -> list[str]:
    """The statements that give a role what the service needs, and take away whatever else it had."""
    quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    who, where = quote(role), quote(schema)
    counted = [
        f"{where}.{quote(f'{table.name}_{key.name}_seq')}"
        for table in metadata.sorted_tables
        if (key := table.autoincrement_column) is not None and table.name not in _READ_ONLY
    ]
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {where} FROM {who}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {where} FROM {who}",
        f"GRANT USAGE ON SCHEMA {where} TO {who}",
        *(f"GRANT SELECT ON {where}.{quote(name)} TO {who}" for name in _READ_ONLY),
    ]
    for table in metadata.sorted_tables:
        if table.name not in _READ_ONLY:
            rights = ", ".join(("SELECT", "INSERT", *_BESIDES.get(table.name, ())))
            statements.append(f"GRANT {rights} ON {where}.{quote(table.name)} TO {who}")
    return [*statements, *(f"GRANT USAGE ON SEQUENCE {one} TO {who}" for one in counted)]
