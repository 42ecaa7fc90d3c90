"""What machines get: the JSON of `check`, `consolidate`, `status`, `failures` and a dry rerun. Held by the schemas in `schemas/contracts`.

Not here: tables and words for people.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from schemas.consolidation import Booked, Consolidation
from schemas.errors import Message
from schemas.records import NO_DECIMALS, Failure, Status
from schemas.values import Meaning, figure_text

if TYPE_CHECKING:  # the quick check prints its result without paying for a database library
    from disclosure_etl.checking import Checked
    from disclosure_etl.intake.sources.listing import Standing as SourceStanding
    from disclosure_etl.quality.structure import StructureJudged
    from disclosure_etl.reports.rehearsal import Would
    from disclosure_etl.reports.standing import Standing
    from disclosure_etl.reports.tasks import Task
    from disclosure_etl.warehouse import Refused, StoredFailure
    from schemas.deltas import Delta
    from schemas.restatements import Restatement


def number(value: int | None, scale: int) -> int | str | None:
    """A scaled whole number as JSON: counts as numbers, decimals as text, so that nothing is rounded on the way."""
    if value is None:
        return None
    return value if scale == 0 else figure_text(value, scale)


def consolidation_object(one: Consolidation) -> dict[str, Any]:
    """A consolidation as `consolidate --json` and `status --json` print it."""
    return {
        "family": one.family,
        "period": one.period,
        "run": one.run,
        "version": one.version,
        "status": one.status.value,
        "found": one.found,
        **{status.value: one.counts[status] for status in Status},
        "missing": list(one.missing),
        "late": list(one.late),
        "attachments": {state.bureau: list(state.attachments) for state in one.bureaus if state.attachments},
        "failures": one.failures,
        "not_assessable": one.not_assessable,
        "coverage": one.coverage,
        "figures": [
            {
                "indicator": figure.indicator,
                "column": figure.column,
                "value": number(figure.value, figure.scale),
                "status": "validated" if figure.validated else "unvalidated",
            }
            for figure in one.figures
        ],
        "restatements": [restatement_object(booked) for booked in one.restatements],
    }


def source_object(one: SourceStanding) -> dict[str, Any]:
    """How a source fared, as `consolidate --json` and `rerun --json` print it."""
    message = {"zh": one.message.zh, "en": one.message.en} if one.message else None
    return {
        "name": one.name,
        "kind": one.kind,
        "status": one.status,
        "files": one.files,
        "waiting": list(one.waiting),
        "message": message,
    }


def failure_object(one: Failure) -> dict[str, Any]:
    """A failure, in every command that lists some. `repairs` are suggested changes, none so far."""
    return {
        "id": one.id,
        "rule": one.rule,
        "kind": str(one.kind),
        "severity": one.severity.value,
        "indicators": list(one.indicators),
        "column": one.column,
        "cells": list(one.cells),
        "seen": list(one.seen),
        "expected": one.expected,
        "difference": one.difference,
        "diagnosis": one.diagnosis,
        "impact": one.impact,
        "legal": one.legal,
        "message": {"zh": one.message.zh, "en": one.message.en},
        "repairs": [],
    }


def stored_failure_object(one: StoredFailure) -> dict[str, Any]:
    """A stored failure, with whose, which period's and which file's it is (null where no file is at fault)."""
    failure = one.failure
    whose = {"bureau": one.bureau, "period": one.period, "file": one.file or None, "block": failure.block}
    case = failure.case or failure.id
    return {
        **whose,
        **failure_object(failure),
        "case": case,
        "implied_by": failure.implied_by,
        "waiver": failure.waiver,
    }


def standing_object(one: Standing) -> list[dict[str, Any]]:
    """What stands against a period, as `failures --json` prints it."""
    return [*map(refused_object, one.refused), *map(stored_failure_object, one.failures)]


def delta_object(one: Delta) -> dict[str, Any]:
    """A proposed or confirmed delta."""
    return {
        "bureau": one.bureau, "period": one.period, "indicator": one.indicator, "column": one.column,
        "reported": number(one.reported, one.scale), "follows": number(one.proposed, one.scale),
        "delta": number(one.amount, one.scale),
    }  # fmt: skip


def task_object(one: Task) -> dict[str, Any]:
    """One thing that somebody has to do; `who` is null for the steward."""
    return {
        "who": one.who or None, "what": one.what, "periods": list(one.periods), "count": one.count,
        "zh": one.text.zh, "en": one.text.en,
    }  # fmt: skip


def restatement_object(one: Restatement | Booked) -> dict[str, Any]:
    """A restatement, by itself or as a version booked it."""
    return {
        "number": one.number, "period": one.period, "bureau": one.bureau, "indicator": one.indicator, "column": one.column,
        "amount": number(one.amount, one.scale), "code": str(one.code), "reason": one.reason, "by": one.by,
    }  # fmt: skip


def would_object(one: Would) -> dict[str, Any]:
    """One thing that a rerun would do, as `rerun --dry-run --json` prints it."""
    return {
        "what": one.what,
        "file": one.file,
        "bureau": one.bureau,
        "revision": one.revision,
        "holds": list(one.holds),
        "periods": list(one.periods),
        "zh": one.text.zh,
        "en": one.text.en,
    }


def _refusal(status: str, code: str, digest: str, message: Message) -> dict[str, Any]:
    """A whole file that gave no figures, in the shape of a failure."""
    return {
        "id": digest[:16], "rule": f"{status}:{code}", "kind": status,
        "severity": "notice" if status == Status.SUPERSEDED else "error", "indicators": [], "column": None, "cells": [],
        "seen": [], "expected": None, "difference": None, "diagnosis": None, "impact": None, "legal": None,
        "message": {"zh": message.zh, "en": message.en}, "repairs": [],
    }  # fmt: skip


def refused_object(one: Refused) -> dict[str, Any]:
    """A file without figures among the stored failures. A program fault says so in its kind: `failed`, never `unreadable`."""
    whose = {"bureau": None, "period": one.period, "file": one.file, "block": None}
    told = {**whose, **_refusal(one.status, one.code, one.digest, one.message)}
    told |= {"case": told["id"], "implied_by": None, "waiver": None}
    return told | {"seen": [one.bureau_written] if one.bureau_written else []}


def check_object(one: Checked) -> dict[str, Any]:
    """One file as `check --json` prints it."""
    result: dict[str, Any] = {
        "file": one.file,
        "digest": one.digest,
        "bureau": None,
        "period": None,
        "form": None,
        "header": {},
        "status": one.status.value,
        "observations": [],
        "failures": [],
        "not_assessable": [],
        "unread": [],
        "structure": [],
    }
    if one.refusal is not None:
        result["failures"] = [_refusal("unreadable", str(one.refusal_code), one.digest, one.refusal)]
    if one.structure is not None:
        result |= _structure_lists(one.structure)
    if one.judged is None or one.form is None or one.labels is None:
        return result
    sent = one.judged.submission
    return result | {
        "bureau": sent.bureau,
        "period": sent.period or None,
        "form": sent.form,
        "header": {**dict(sent.header), "revision": str(sent.revision), "nil": sent.nil},
        "observations": [
            {
                "indicator": cell.indicator,
                "label": one.labels[cell.position],
                "column": cell.column,
                "measure": cell.measure,
                "value": number(sent.numbers[cell.position], cell.scale)
                if sent.decimals[cell.position] != NO_DECIMALS
                else None,
                "meaning": Meaning(sent.meanings[cell.position]).code,
                "text": sent.texts[cell.position],
                "cell": sent.locators[cell.position],
            }
            for cell in one.form.cells
            if sent.locators[cell.position]
        ]
        + result["observations"],
        "failures": [failure_object(failure) for failure in one.failures],
        "not_assessable": [{"rule": rule, "column": column} for rule, column in one.judged.not_assessable]
        + result["not_assessable"],
        "unread": [{"cell": place.locator, "text": place.text} for place in sent.unread] + result["unread"],
    }


def _structure_lists(shown: StructureJudged) -> dict[str, Any]:
    """What a text or a foreign table shows: its figures, which belong to no indicator, and how they hang together."""
    figures = shown.structure.figures
    return {
        "observations": [
            {
                "indicator": None,
                "label": one.label,
                "column": None,
                "measure": one.measure,
                "value": _stated_number(one.number),
                "meaning": one.meaning.code,
                "text": one.text,
                "cell": one.cell,
            }
            for one in figures[: shown.structure.own]
        ],
        "failures": [failure_object(failure) for failure in shown.failures],
        "not_assessable": [{"rule": rule, "column": column} for rule, column in shown.not_assessable],
        "unread": [{"cell": figures[at].cell, "text": figures[at].text} for at in shown.structure.unread],
        "structure": [
            {
                "rule": one.rule,
                "relation": one.relation,
                "cells": list(one.cells),
                "times": list(one.times),
                "verdict": "not_assessable" if one.holds is None else "holds" if one.holds else "fails",
            }
            for one in shown.verdicts
        ],
    }


def _stated_number(value: Decimal | None) -> int | str | None:
    """A figure as written: a whole one as a number, one with decimals as text with all of them."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else f"{value:f}"
