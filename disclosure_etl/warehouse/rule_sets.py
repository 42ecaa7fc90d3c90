"""Which rules a result was found by: rule sets by their version, with all that they can be made from again.

Beside them the norms of a period: what all bureaus did, by those rules. Not here: compiling rules (`schemas.rules`).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from disclosure_etl.warehouse.dimensions import period_id
from disclosure_etl.warehouse.tables import period_norm, rule_set
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Norms
from schemas.rules import RuleSet, RuleSettings
from schemas.rules import rule_set as compiled


def enter_rule_set(connection: Connection, rules: RuleSet, at: datetime) -> str:
    """Keep a rule set under its version; entering it again changes nothing."""
    known = connection.execute(select(rule_set.c.version).where(rule_set.c.version == rules.version)).scalar()
    if known is None:
        content = {
            "form": rules.form.model_dump(mode="json", by_alias=True),
            "settings": rules.settings.model_dump(mode="json", by_alias=True),
        }
        connection.execute(
            insert(rule_set).values(version=rules.version, family=rules.form.family, content=content, first_used_at=at)
        )
    return rules.version


def rules_of(connection: Connection, version: str, period: Period) -> RuleSet | None:
    """The rules of `version` for `period`, made again from what was kept; None where there are none."""
    content = connection.execute(select(rule_set.c.content).where(rule_set.c.version == version)).scalar()
    if content is None:
        return None
    form = Form.model_validate(content["form"], by_alias=True)
    return compiled(form, period, RuleSettings.model_validate(content["settings"], by_alias=True))


def keep_norms(connection: Connection, rules: RuleSet, norms: Norms) -> None:
    """Keep what the bureaus of a period did; the newest counts."""
    key = {"family": rules.form.family, "period_id": period_id(connection, rules.period)}
    connection.execute(
        delete(period_norm).where(period_norm.c.family == key["family"], period_norm.c.period_id == key["period_id"])
    )
    lists = {name: np.asarray(values, dtype=float).tolist() for name, values in asdict(norms).items()}
    connection.execute(insert(period_norm).values(**key, rule_set=rules.version, norms=lists))


def norms_of(connection: Connection, rules: RuleSet) -> Norms | None:
    """What the bureaus of a period did, as it was kept by the same rules; None where it was not."""
    row = connection.execute(
        select(period_norm.c.norms).where(
            period_norm.c.family == rules.form.family,
            period_norm.c.period_id == period_id(connection, rules.period),
            period_norm.c.rule_set == rules.version,
        )
    ).scalar()
    return Norms(**{name: np.array(values) for name, values in row.items()}) if row else None
