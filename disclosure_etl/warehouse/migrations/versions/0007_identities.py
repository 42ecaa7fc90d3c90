"""whom the identity provider knows an account's owner as"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("oidc_issuer", sa.Text(), comment="the identity provider, once it sent somebody"))
    op.add_column("person", sa.Column("oidc_subject", sa.String(length=255), comment="who they are there"))
    op.create_index("ix_person_identity", "person", ["oidc_issuer", "oidc_subject"], unique=True)
