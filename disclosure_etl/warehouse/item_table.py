"""The table of the items of lists. Definition only; what is done with it stands in `listed`."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from disclosure_etl.warehouse.dimension_tables import metadata

# One row of a list that a return carries; no foreign key, as of other facts.
fact_item = Table(
    "fact_item",
    metadata,
    Column("submission_id", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("list", String(64), nullable=False),
    Column("item_key", Text, nullable=False),
    Column("bureau_code", String(64), comment="the bureau that the row names"),
    Column("entries", JSON, nullable=False, comment="the other columns: text, cell and day"),
    Column("locator", Text, nullable=False),
    sqlite_with_rowid=False,
)
