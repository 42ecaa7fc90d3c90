"""The tables of what people decided: of returns, of figures that must differ, of versions and years. Definitions only.

All of them are only ever appended to (migration 0005): what is taken back is taken back by another row. Not here: waivers,
which stand beside the failures that they are of (`tables`).
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, String, Table, Text

from disclosure_etl.warehouse.dimension_tables import Moment, metadata

# What a steward did with a return as a whole: sent it back, took it out, or brought an earlier one back.
return_decision = Table(
    "return_decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "action", String(16), nullable=False, comment="return, withdraw, reinstate, or undo: of an earlier decision"
    ),
    Column("undoes", ForeignKey("return_decision.id")),
    Column("submission_id", ForeignKey("submission.id"), nullable=False, index=True),
    Column("revision", Integer, comment="of a reinstatement: the return counts as if it had come as this revision"),
    Column("arrival", Integer, comment="of a reinstatement: and right after this receipt"),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
)

# An opening or a cumulative that rightly differs from what was accepted before, by a stated amount for a coded reason.
restatement = Table(
    "restatement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(16), nullable=False, comment="restate, or withdraw: of an earlier one"),
    Column("withdraws", ForeignKey("restatement.id")),
    Column("family", String(64), nullable=False),
    Column("period_id", ForeignKey("dim_period.id"), nullable=False),
    Column("bureau_code", String(64), nullable=False),
    Column("indicator", String(128), nullable=False),
    Column("column_code", String(64), nullable=False),
    Column("amount", BigInteger, nullable=False, comment="what is added, times ten to the scale"),
    Column("scale", SmallInteger, nullable=False),
    Column("code", String(16), nullable=False, comment="the coded reason (schemas.restatements)"),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("ix_restatement_place", "family", "period_id", "bureau_code"),
)

# A bureau's word that its later figures follow a correction. `digest` is the return that was made of it.
confirmation = Table(
    "confirmation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("family", String(64), nullable=False),
    Column("period_id", ForeignKey("dim_period.id"), nullable=False),
    Column("bureau_code", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("basis", String(64), nullable=False, comment="the digest of the return whose figures were carried over"),
    Column("deltas", JSON, nullable=False, comment="cells with what was reported and what was confirmed"),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
)

# A version that somebody answers for by name is final.
sign_off = Table(
    "sign_off",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True, autoincrement=False),
    Column("signed_by", Text, nullable=False),
    Column("second", Text, comment="the second person, where the office asks for one"),
    Column("signed_at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("acknowledged", JSON, nullable=False, comment="the warnings that were acknowledged by it"),
)

# A version that was given to the public.
release = Table(
    "release",
    metadata,
    Column("consolidation_id", ForeignKey("consolidation.id"), primary_key=True, autoincrement=False),
    Column("released_by", Text, nullable=False),
    Column("released_at", Moment, nullable=False),
)

# A year is locked while the newest row of it says so.
year_lock = Table(
    "year_lock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(8), nullable=False, comment="lock or reopen"),
    Column("family", String(64), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("second", Text, comment="the second person of a reopening"),
    Column("reason", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("ix_year_lock_year", "family", "year"),
)
