"""The codes of rules: stable names by which failures, changes, decisions and the rule book speak of them.

Not here: what a rule says (`constraints`, and the words in `disclosure_etl.quality`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.batches import required_cells, unsigned_cells
from schemas.constraints import LINEAR, SHARES, TRENDS, Kind
from schemas.errors import Message
from schemas.itemlists import ItemList
from schemas.records import Severity
from schemas.rules import RuleSet
from schemas.values import Trouble


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A rule about a return as a whole, or about a bureau that sent none."""

    title: Message
    severity: Severity
    text: Message


def _finding(zh: str, en: str, severity: Severity, text_zh: str, text_en: str) -> FindingRule:
    return FindingRule(Message(zh, en), severity, Message(text_zh, text_en))


FINDINGS: dict[str, FindingRule] = {
    "identity:bureau": _finding(
        "单位可认", "bureau told", Severity.ERROR,
        "表头和文件名应一致地写明填报单位。", "Header and file name tell one and the same bureau.",
    ),
    "identity:unknown_bureau": _finding(
        "单位已登记", "bureau known", Severity.ERROR,
        "填报单位应在 bureaus.yaml 中登记。", "The bureau is one of the office's.",
    ),
    "identity:not_owed": _finding(
        "应报", "return owed", Severity.ERROR,
        "单位当期应报本表。", "The bureau owes this return for this period.",
    ),
    "identity:period": _finding(
        "时期可认", "period told", Severity.ERROR,
        "表头和文件名应一致地写明统计时期。", "Header and file name tell one and the same period.",
    ),
    "identity:form": _finding(
        "表式适用", "form in force", Severity.ERROR,
        "报表应使用当期有效的版本。", "The return is on the version of the form that is in force for its period.",
    ),
    "identity:revision": _finding(
        "修订号", "revision number", Severity.ERROR,
        "修订号应为 1 到 999 的整数。", "The revision is a whole number from 1 to 999.",
    ),
    "return:two_returns": _finding(
        "一期一表", "one return a period", Severity.ERROR,
        "一个单位一期同时只报一份。", "A bureau sends one return for a period at a time.",
    ),
    "return:two_tables": _finding(
        "一表一份", "one table a file", Severity.ERROR,
        "一个文件中同一张表只出现一次。", "A file holds each table once.",
    ),
    "return:locked": _finding(
        "年度未锁定", "year open", Severity.ERROR,
        "已锁定年度的报表暂存,待解锁后再判。", "A return of a locked year waits, held, until the year is reopened.",
    ),
    "return:untouched": _finding(
        "已填写", "filled in", Severity.ERROR,
        "报表应填写;确无数据的应勾选「无数据」。", "The return is filled in, or ticked as a nil return.",
    ),
    "return:nil_with_figures": _finding(
        "零报告无数", "nil is nil", Severity.ERROR,
        "勾选「无数据」的报表不得有数。", "A return ticked as nil holds no figures.",
    ),
    "return:listed_twice": _finding(
        "一项一行", "each item once", Severity.ERROR,
        "一个指标在表中只出现一次。", "An indicator stands in the table once.",
    ),
    "return:unit": _finding(
        "计量单位", "unit of measure", Severity.ERROR,
        "计量单位应与报表规定一致。", "Figures are in the unit that the form prescribes.",
    ),
    "header:signer": _finding(
        "负责人签名", "signed", Severity.WARNING,
        "报表应有填报人、审核人和负责人。", "The return names preparer, checker and the head who signs.",
    ),
    "header:checker": _finding(
        "审核与填报分开", "checked by another", Severity.WARNING,
        "审核人不得是填报人本人。", "The checker is not the preparer.",
    ),
    "duty:missing": _finding(
        "已报", "received", Severity.ERROR,
        "应报单位应在期限内报送。", "A bureau that owes a return has sent it.",
    ),
    "duty:late": _finding(
        "按时报送", "on time", Severity.NOTICE,
        "报表应在到期日当日或之前收到。", "The return arrived by the end of its due day.",
    ),
    "waiver:lapsed": _finding(
        "豁免有效", "waiver holds", Severity.NOTICE,
        "豁免只对作出时的数值有效。", "A waiver holds only for the figures that it was given for.",
    ),
    "waiver:idle": _finding(
        "豁免有对象", "waiver needed", Severity.NOTICE,
        "没有对应问题的豁免可以撤销。", "A waiver that matches nothing may be withdrawn.",
    ),
}  # fmt: skip


def list_rule_codes(one: ItemList) -> Iterator[str]:
    """The codes of the rules of a list."""
    yield f"list:{one.code}:key"
    if one.dates:
        yield f"list:{one.code}:date"
    if one.bureau is not None:
        yield f"list:{one.code}:bureau"
    yield from (f"list:{one.code}:{count.indicator}" for count in one.counts)
    if one.follows is not None:
        yield f"list:{one.code}:link"


def rule_codes(rules: RuleSet) -> Iterator[str]:
    """The codes of all rules in force, each once, in the order in which their failures are told."""
    form, table = rules.form, rules.table
    yield from FINDINGS
    yield from (code for one in form.lists for code in list_rule_codes(one))
    for trouble in Trouble:
        if trouble is not Trouble.NONE:
            yield f"{Kind.READING}:{trouble.code}"
    for kind, positions in ((Kind.REQUIRED, required_cells(form)), (Kind.NEGATIVE, unsigned_cells(form))):
        yield from dict.fromkeys(f"{kind}:{form.cells[at].indicator}" for at in positions)
    for kind in Kind:
        if kind in LINEAR:
            yield from dict.fromkeys(row.code for row in table.of_kind(kind))
        elif kind in SHARES:
            yield from dict.fromkeys(group.code(kind) for group in table.share_groups(kind))
        elif kind in TRENDS and table.watched:
            yield str(kind)
