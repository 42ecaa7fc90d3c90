"""The rule book for people and machines: Markdown and JSON. Not here: which rules there are (`quality.book`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from disclosure_etl.quality.book import KINDS, RuleRecord
from disclosure_etl.trials import Trial
from disclosure_etl.warehouse import RuleHealth
from schemas.constraints import Kind
from schemas.power import Power, detection_power
from schemas.rules import RuleSet


def book_object(rules: RuleSet, records: Sequence[RuleRecord]) -> dict[str, Any]:
    """The book as JSON."""
    return {
        "form": rules.form.key,
        "period": rules.period.code,
        "version": rules.version,
        "rules": [
            {
                "code": one.code,
                "kind": one.kind,
                "title": {"zh": one.title.zh, "en": one.title.en},
                "severity": one.severity,
                "cells": [{"indicator": indicator, "column": column} for indicator, column in one.cells],
                "tolerance": one.tolerance,
                "legal": one.legal,
                "from": one.first,
                "to": one.last,
                "message": {"zh": one.template.zh, "en": one.template.en},
                "reason": one.reason,
            }
            for one in records
        ],
        "power": [
            {
                "indicator": one.cell.indicator,
                "column": one.cell.column,
                "caught": one.level,
                "rules": [*one.always, *one.bounded],
                "reason": {"zh": one.reason.zh, "en": one.reason.en},
            }
            for one in detection_power(rules.table)
        ],
    }


def book_markdown(rules: RuleSet, records: Sequence[RuleRecord]) -> str:
    """The book as a document: the rules by kind with their words, then what each cell's slips are caught by."""
    form = rules.form
    lines = [
        f"# {form.title.zh} {form.version} · {rules.period}",
        "",
        f"{form.title.en}, version {form.version}. {form.legal or ''}",
        f"规则集版本 rule set `{rules.version[:16]}` · {len(records)} rules",
        "",
    ]
    kind = ""
    for one in records:
        if one.kind != kind:
            kind = one.kind
            heading = KINDS[Kind(kind)] if kind in set(Kind) else one.title
            title = f"{heading.zh} · {heading.en}" if kind in set(Kind) else kind
            lines += [
                "",
                f"## {kind} — {title}",
                "",
                "| rule | title | severity | cells | legal |",
                "|---|---|---|---|---|",
            ]
        cells = ", ".join(dict.fromkeys(f"`{indicator}`" for indicator, _ in one.cells[:12]))
        more = " …" if len({indicator for indicator, _ in one.cells}) > 12 else ""
        changed = f" ({one.reason})" if one.reason else ""
        dated = f" [{one.first} – {one.last or ''}]" if one.first != form.valid.first else ""
        lines.append(
            f"| `{one.code}` | {_cell(one.title.zh)} · {_cell(one.title.en)}{dated} | {one.severity}{changed} | {cells}{more} | "
            f"{one.legal or ''} |"
        )
    lines += ["", "## 措辞 · What failures say", ""]
    said: dict[tuple[str, str], list[str]] = {}
    for one in records:
        said.setdefault((one.template.zh, one.template.en), []).append(one.code)
    for (zh, en), codes in said.items():
        lines += [f"- `{codes[0]}`{' …' if len(codes) > 1 else ''}: {zh}  ", f"  {en}"]
    lines += ["", "## 检出能力 · Which slips are caught", "", *_power(rules)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _power(rules: RuleSet) -> list[str]:
    labels = {"always": "任何改动", "bounded": "仅超限时", "none": "查不出"}
    found: Sequence[Power] = detection_power(rules.table)
    lines = ["| indicator | column | caught | by | reason |", "|---|---|---|---|---|"]
    for one in found:
        codes = (*one.always, *one.bounded)
        by = ", ".join(f"`{code}`" for code in codes[:4]) + (" …" if len(codes) > 4 else "")
        item = rules.form.indicators[one.cell.indicator]
        reason = "" if one.level == "always" else f"{one.reason.zh} {one.reason.en}"
        lines.append(
            f"| {_cell(item.label.zh)} `{item.code}` | {one.cell.column} | {labels[one.level]} {one.level} | {by} | {reason} |"
        )
    return lines


def trial_object(trial: Trial) -> dict[str, Any]:
    """What rules on trial would have found, as JSON."""
    return {
        "returns": trial.returns,
        "periods": list(trial.periods),
        "fired": dict(trial.fired),
        "differences": [
            {
                "period": one.period,
                "bureau": one.bureau,
                "file": one.file,
                "rule": one.failure.rule,
                "column": one.failure.column,
                "cells": list(one.failure.cells),
                "before": one.before,
                "after": one.after,
                "message": {"zh": one.failure.message.zh, "en": one.failure.message.en},
            }
            for one in trial.differences
        ],
    }


def health_object(health: Sequence[RuleHealth]) -> list[dict[str, Any]]:
    """How rules fared, as JSON."""
    return [
        {
            "rule": one.rule,
            "fired": one.fired,
            "waived": one.waived,
            "corrected": one.corrected,
            "not_assessable": one.not_assessable,
        }
        for one in health
    ]
