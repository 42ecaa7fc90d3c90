"""Where returns come from: one module a kind of source, and what they share. The kinds that need a library of their own
are opened by `opening`, so that whoever has none of them imports none.

Not here: keeping the bytes (`raw_store`) or understanding them (`readers`).
"""

from disclosure_etl.intake.sources.delivery import Delivery, Source
from disclosure_etl.intake.sources.folder import FolderSource
from disclosure_etl.intake.sources.unreached import StillGrowing, Unreached, reason

__all__ = ["Delivery", "FolderSource", "Source", "StillGrowing", "Unreached", "reason"]
