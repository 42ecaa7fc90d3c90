"""The rule book: every rule of a form as a record that people can read, with the words that its failures are told in.

Not here: printing it (`reports.rulebook`), or which rules there are (`schemas.rulecodes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from disclosure_etl.quality import messages
from disclosure_etl.quality.lists import rules_of_lists
from disclosure_etl.quality.share_failures import SEVERITY as SHARE_SEVERITY
from schemas.batches import required_cells, unsigned_cells
from schemas.constraints import LINEAR, SHARES, TRENDS, Constraint, Kind, ShareGroup
from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Severity
from schemas.rulecodes import FINDINGS
from schemas.rules import RuleSet
from schemas.values import Trouble, figure_text

KINDS: dict[Kind, Message] = {
    Kind.READING: Message("格内应为可读的数", "a cell holds a figure that can be read"),
    Kind.REQUIRED: Message("必填", "must be filled in"),
    Kind.NEGATIVE: Message("不得为负", "not below zero"),
    Kind.BREAKDOWN: Message("等于各分项之和", "is the sum of its parts"),
    Kind.ROW_TOTAL: Message("行合计等于各列之和", "the row total is the sum of its columns"),
    Kind.BALANCE: Message("期初 + 新增 = 办结 + 期末", "opening + inflow = outflow + closing"),
    Kind.OUTCOMES: Message("办结不多于收到", "no more settled than received"),
    Kind.SUBSET: Message("不超过所属总数", "at most the figure that it is part of"),
    Kind.STATED: Message("专列规则", "a rule written out"),
    Kind.SHARE: Message("占比 = 分项 ÷ 填报总数", "share = part ÷ stated total"),
    Kind.SHARE_COLUMN: Message("各占比合计为 100", "the shares add to 100"),
    Kind.SHARE_ATTAINABLE: Message("占比可由整数得出", "some whole number has the share"),
    Kind.YEAR_TO_DATE: Message("累计 = 上期累计 + 本期", "cumulative = last cumulative + period"),
    Kind.OPENING: Message("期初 = 上期认定的期末", "opening = the accepted closing before"),
    Kind.STOCK: Message("存量 = 上期存量 + 增 − 减", "stock = last stock + came − went"),
    Kind.PERIODS: Message("等于所含各期之和", "is the sum of the periods within"),
    Kind.BRANCH: Message("不少于所属单位之和", "at least the sum of the branch's units"),
    Kind.BRIDGE: Message("拆分后各单位期初之和 = 前身期末", "openings after a split add to the closings before"),
    Kind.JUMP: Message("与近期水平相称", "in line with recent periods"),
    Kind.YEAR_JUMP: Message("与去年同期相称", "in line with a year ago"),
    Kind.ZERO: Message("同类普遍有数而此处为零", "zero while peers are large"),
    Kind.COPY: Message("与上期完全相同", "a copy of the last period"),
}


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """One rule. `cells` are (indicator, column) that it reads; `tolerance` is in the unit of the figures; `first` and `last`
    are the data periods of a rule that is dated; `reason` is why the office changed it, where it did."""

    code: str
    kind: str
    title: Message
    severity: str
    cells: tuple[tuple[str, str], ...]
    tolerance: str
    legal: str | None
    first: str
    last: str | None
    template: Message
    reason: str | None = None


def rule_book(rules: RuleSet) -> tuple[RuleRecord, ...]:
    """Every rule in force, in the order in which failures are told; rules that the office switched off are `off`."""
    return tuple(_as_set(rules, record) for record in _records(rules))


def _as_set(rules: RuleSet, record: RuleRecord) -> RuleRecord:
    if not rules.has_overrides:
        return record
    severity = rules.severity(record.code, None, Severity(record.severity))
    reasons = [one.reason for one in rules.overrides if one.is_about(record.code, record.kind)]
    if not reasons:
        return record
    return RuleRecord(
        record.code, record.kind, record.title, severity.value if severity else "off", record.cells, record.tolerance,
        record.legal, record.first, record.last, record.template, ";".join(reasons),
    )  # fmt: skip


def _records(rules: RuleSet) -> Iterator[RuleRecord]:
    form, table = rules.form, rules.table
    for code, finding in FINDINGS.items():
        kind = code.partition(":")[0]
        yield _record(form, code, kind, finding.title, finding.severity, (), finding.text)
    for code, rule, one in rules_of_lists(form):
        title = Message(f"{one.label.zh}:{rule.title.zh}", f"{one.label.en}: {rule.title.en}")
        counted = (form.counting_cell(count.indicator) for count in one.counts if code.endswith(f":{count.indicator}"))
        read = tuple((cell.indicator, cell.column) for cell in counted if cell is not None)
        yield _record(form, code, "list", title, rule.severity, read, rule.template)
    yield from _cellwise(form)
    for kind in Kind:
        if kind in LINEAR:
            rows: dict[str, list[Constraint]] = {}
            for row in table.of_kind(kind):
                rows.setdefault(row.code, []).append(row)
            for code, own in rows.items():
                yield _linear(form, rules, code, own)
        elif kind in SHARES:
            groups: dict[str, list[ShareGroup]] = {}
            for group in table.share_groups(kind):
                groups.setdefault(group.code(kind), []).append(group)
            for code, same in groups.items():
                yield _shares(form, kind, code, same)
        elif kind in TRENDS and table.watched:
            cells = tuple((cell.indicator, cell.column) for cell in table.watched)
            yield _record(form, str(kind), kind, KINDS[kind], Severity.WARNING, cells, messages.RULES[kind])


def _record(
    form: Form, code: str, kind: str, title: Message, severity: Severity, cells: tuple[tuple[str, str], ...],
    template: Message, legal: str | None = None, tolerance: str = "0",
) -> RuleRecord:  # fmt: skip
    return RuleRecord(
        code, str(kind), title, severity.value, cells, tolerance, legal, form.valid.first, form.valid.last, template
    )


def _titled(form: Form, indicator: str, kind: Kind) -> Message:
    label, says = form.indicators[indicator].label, KINDS[kind]
    return Message(f"{label.zh}:{says.zh}", f"{label.en}: {says.en}")


def _cellwise(form: Form) -> Iterator[RuleRecord]:
    every = tuple((cell.indicator, cell.column) for cell in form.cells if cell.measure != "share")
    for trouble, template in messages.READING.items():
        severity = {Trouble.DISPLAY_DIFFERS: Severity.WARNING, Trouble.INTERPRETED: Severity.NOTICE}.get(
            trouble, Severity.ERROR
        )
        code = f"{Kind.READING}:{trouble.code}"
        yield _record(form, code, Kind.READING, KINDS[Kind.READING], severity, every, template)
    for kind, positions, template in (
        (Kind.REQUIRED, required_cells(form), messages.REQUIRED),
        (Kind.NEGATIVE, unsigned_cells(form), messages.NEGATIVE),
    ):
        cells: dict[str, list[tuple[str, str]]] = {}
        for at in positions:
            cells.setdefault(form.cells[at].indicator, []).append((form.cells[at].indicator, form.cells[at].column))
        for indicator, own in cells.items():
            legal = form.indicators[indicator].legal
            unique = tuple(dict.fromkeys(own))
            title = _titled(form, indicator, kind)
            yield _record(form, f"{kind}:{indicator}", kind, title, Severity.ERROR, unique, template, legal)


def _linear(form: Form, rules: RuleSet, code: str, rows: list[Constraint]) -> RuleRecord:
    first = rows[0]
    cells = tuple(dict.fromkeys((term.cell.indicator, term.cell.column) for row in rows for term in row.terms))
    template = first.message or messages.RULES[first.kind]
    title = first.title or _titled(form, first.indicator, first.kind)
    tolerance = figure_text(first.tolerance, first.terms[-1].cell.scale)
    record = _record(form, code, first.kind, title, first.severity, cells, template, first.legal, tolerance)
    stated = next(
        (one for one in (*form.rules, *rules.settings.added(form)) if f"{Kind.STATED}:{one.code}" == code), None
    )
    if stated is None or stated.valid is None:
        return record
    return RuleRecord(
        record.code, record.kind, record.title, record.severity, record.cells, record.tolerance, record.legal,
        stated.valid.first, stated.valid.last, record.template,
    )  # fmt: skip


def _shares(form: Form, kind: Kind, code: str, groups: list[ShareGroup]) -> RuleRecord:
    first = groups[0]
    cells = tuple(
        dict.fromkeys((cell.indicator, cell.column) for group in groups for cell in (*group.shares, group.total))
    )
    severity, template = Severity.ERROR, messages.RULES.get(kind)
    if template is None:  # one text a diagnosis, each with a severity of its own
        template = Message(
            " / ".join(f"[{SHARE_SEVERITY[name].label_zh}] {text.zh}" for name, text in messages.SHARES.items()),
            " / ".join(f"[{SHARE_SEVERITY[name].value}] {text.en}" for name, text in messages.SHARES.items()),
        )
    title = _titled(form, first.total.indicator, kind)
    tolerance = "½ × 末位" if kind is Kind.SHARE else ""
    return _record(form, code, kind, title, severity, cells, template, first.legal, tolerance)
