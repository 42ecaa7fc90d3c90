"""${message}"""

import sqlalchemy as sa
from alembic import op

from disclosure_etl.warehouse.tables import Moment  # noqa: F401

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
