"""The dimensions of the star: bureaus, periods, forms, indicators, cells. Definitions only; migrations make them.

Not here: facts and operational tables (`tables`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)  # fmt: skip

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A point in time: kept in UTC, given back with its zone, also by SQLite, which knows none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database, in UTC."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Out of the database, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


dim_bureau = Table(
    "dim_bureau",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent_code", String(64)),
    Column("reports", String(8), nullable=False, comment="own figures, or those of the whole branch"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    UniqueConstraint("code", "valid_from"),
)

# Which bureau took over from which: several successors of a split, several predecessors of a merger.
dim_succession = Table(
    "dim_succession",
    metadata,
    Column("predecessor_code", String(64), primary_key=True),
    Column("successor_code", String(64), primary_key=True),
    Column("first_day", Date, primary_key=True, comment="on which the successor has taken over"),
)

dim_period = Table(
    "dim_period",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(8), nullable=False, unique=True),
    Column("frequency", String(12), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("ordinal", SmallInteger, nullable=False, comment="month, quarter or half within the year"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
)

dim_form = Table(
    "dim_form",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("family", String(64), nullable=False),
    Column("version", String(16), nullable=False),
    Column("frequency", String(12), nullable=False),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the definition"),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("valid_from", String(8), nullable=False),
    Column("valid_to", String(8)),
    UniqueConstraint("family", "version", "digest"),
)

dim_indicator = Table(
    "dim_indicator",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("form_id", ForeignKey("dim_form.id"), nullable=False),
    Column("code", String(128), nullable=False),
    Column("label_zh", Text, nullable=False),
    Column("label_en", Text, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("decimals", SmallInteger, nullable=False),
    Column("block", String(64), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("parent_code", String(128), comment="the indicator of which it is a part"),
    UniqueConstraint("form_id", "code"),
)

dim_cell = Table(
    "dim_cell",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("form_id", ForeignKey("dim_form.id"), nullable=False),
    Column("indicator_id", ForeignKey("dim_indicator.id"), nullable=False),
    Column("position", SmallInteger, nullable=False, comment="place in the form's fixed order"),
    Column("name", String(255), nullable=False, comment="indicator|column|measure"),
    Column("column_code", String(64), nullable=False),
    Column("measure", String(8), nullable=False),
    Column("scale", SmallInteger, nullable=False, comment="a value is the figure times ten to this power"),
    Column("block", String(64), nullable=False),
    UniqueConstraint("form_id", "position"),
)
