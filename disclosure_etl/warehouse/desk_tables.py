"""The tables of the desk: who may use it and is signed in, what people said of cases, what they sent through it. Definitions only.

Comments, assignments and uploads are only ever appended to. Passwords and tokens are kept as hashes alone. Not here: decisions
that change what counts (`decision_tables`).
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from disclosure_etl.warehouse.dimension_tables import Moment, metadata

# Somebody with an account. `bureau_code` is of those who report for one. Whoever has no password signs in with the identity
# provider; the first time binds the account to who they are there.
person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("bureau_code", String(64)),
    Column("password", Text, comment="argon2"),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False, comment="the password was given by somebody else"),
    Column("made_at", Moment, nullable=False),
    Column("oidc_issuer", Text, comment="the identity provider, once it sent somebody"),
    Column("oidc_subject", String(255), comment="who they are there"),
    Index("ix_person_identity", "oidc_issuer", "oidc_subject", unique=True),
)

# A failed attempt to sign in, so that a run of them can be slowed down. `login` as it was written, known or not.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_sign_in_failure_login", "login", "at"),
    Index("ix_sign_in_failure_address", "address", "at"),
)

person_session = Table(
    "person_session",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of what the browser keeps"),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("browser", Text, nullable=False),
)

# What a bureau's own system sends returns with.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True, comment="SHA-256 of the token"),
    Column("name", Text, nullable=False),
    Column("bureau_code", String(64), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment),
    Column("revoked_at", Moment),
)

# A file that came through the desk or its API, before any run took it.
upload = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("bureau_code", String(64), nullable=False),
    Column("family", String(64), nullable=False),
    Column("period", String(8), nullable=False, comment="'' where the file says none"),
    Column("digest", String(64), nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("token_id", ForeignKey("api_token.id")),
    Column("key", String(255), comment="the sender's idempotency key"),
    Column("result", JSON, nullable=False, comment="what checking it came to, in the contract of check --json"),
    Index("ix_upload_bureau", "bureau_code", "period"),
    UniqueConstraint("token_id", "key"),
)

case_comment = Table(
    "case_comment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("family", String(64), nullable=False),
    Column("period", String(8), nullable=False),
    Column("failure_id", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("said_by", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
    Index("ix_case_comment_case", "family", "period", "failure_id"),
)

# Whose a case is; the newest row counts, and `person_id` null is nobody's.
case_assignment = Table(
    "case_assignment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("family", String(64), nullable=False),
    Column("period", String(8), nullable=False),
    Column("failure_id", String(32), nullable=False),
    Column("person_id", ForeignKey("person.id")),
    Column("given_by", Text, nullable=False),
    Column("given_at", Moment, nullable=False),
    Index("ix_case_assignment_case", "family", "period", "failure_id"),
)

# Up to which event of the record somebody has seen a period.
visit = Table(
    "visit",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("family", String(64), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("event", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)

# What takes the word of two people, after the first has given theirs. `outcome` is done, or withdrawn.
proposal = Table(
    "proposal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False, comment="sign_off, or reopen"),
    Column("family", String(64), nullable=False),
    Column("period", String(8), nullable=False),
    Column("content_hash", String(64), nullable=False, comment="of the version that is meant; '' of a year"),
    Column("details", JSON, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ended_by", Text),
    Column("ended_at", Moment),
    Column("outcome", String(16)),
    Index("ix_proposal_period", "family", "period"),
)
