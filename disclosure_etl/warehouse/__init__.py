"""The reporting warehouse: tables, migrations, loading, queries and the history that checks look back on.

Not here: any judgement of figures (`quality`).
"""

from disclosure_etl.warehouse.audit import Broken, ChainVerified, Event
from disclosure_etl.warehouse.baseline import BaselineRow, Imported
from disclosure_etl.warehouse.changes import base_of
from disclosure_etl.warehouse.confirming import Confirmed
from disclosure_etl.warehouse.facade import Warehouse
from disclosure_etl.warehouse.pending import Dependents, Waiting
from disclosure_etl.warehouse.queries import Refused, RuleHealth, StoredFailure
from disclosure_etl.warehouse.standing_figures import Accepted
from disclosure_etl.warehouse.standings import LOCK, REOPEN, YearLock
from disclosure_etl.warehouse.verifying import Due, Verified

__all__ = [
    "LOCK", "REOPEN", "Accepted", "BaselineRow", "Broken", "ChainVerified", "Confirmed", "Dependents", "Due", "Event", "Imported",
    "Refused", "RuleHealth", "StoredFailure", "Verified", "Waiting", "Warehouse", "YearLock", "base_of",
]  # fmt: skip
