"""Whether a return is on a form at all, on the one that is in force for its period, and from somebody who owes it. Not here: who
sent it, and for when (`identity`)."""

from __future__ import annotations

from collections.abc import Sequence

from disclosure_etl.bureaus import Bureau
from disclosure_etl.intake.identity import NOT_OWED, Identity
from schemas.documents import Unreadable
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Finding


def form_findings(form: Form, who: Identity, forms: Sequence[Form]) -> tuple[Finding, ...]:
    """What is found of a return on `form`, where the office has `forms`."""
    found = []
    if who.period is not None and not form.covers(who.period):
        found.append(_wrong_version(form, who.period, forms))
    if who.period is not None and who.bureau is not None and not who.bureau.owes_on(form.family, who.period.end):
        found.append(_not_owed(form, who.bureau, who.period))
    return tuple(found)


def no_known_label(forms: Sequence[Form], hidden: Sequence[str]) -> Unreadable:
    """The refusal of a document without a label of any form; `hidden` are names of hidden sheets that have some."""
    if hidden:
        return Unreadable(
            "no_known_label",
            f"只有隐藏的工作表(「{'、'.join(hidden)}」)中有报表;隐藏的工作表不作数据。请取消隐藏后重新保存并发送。",
            f"Only hidden sheets ('{', '.join(hidden)}') hold a return, and hidden sheets are not data. Unhide, save and send it "
            "again.",
        )
    zh, en = (dict.fromkeys(titles) for titles in zip(*((form.title.zh, form.title.en) for form in forms), strict=True))
    return Unreadable(
        "no_known_label",
        f"文件中没有任何已知报表的指标名称(已知报表:{'、'.join(zh)})。请使用下发的空白表填报;长期使用"
        "自有版式的,汇总单位可在 config/layouts 中说明。",
        f"No label of a known form stands in the file (forms: {', '.join(en)}). Use the blank "
        "workbook that was sent out; a layout of a bureau's own can be described in the office's config/layouts.",
    )


def _not_owed(form: Form, bureau: Bureau, period: Period) -> Finding:
    return Finding(
        NOT_OWED,
        Message(
            f"「{bureau.name_zh}」{period} 不需报送{form.title.zh}。如应报送,请在 bureaus.yaml 该单位的 owes 中登记后重新汇总。",
            f"{bureau.name_en} owes no {form.title.en} for {period}. If it should, enter that in bureaus.yaml (owes) and "
            "consolidate again.",
        ),
        (),
        (bureau.code,),
    )


def _wrong_version(form: Form, period: Period, forms: Sequence[Form]) -> Finding:
    valid = next((one for one in forms if one.family == form.family and one.covers(period)), None)
    if valid is not None:
        due_zh = f"应使用当期有效的 {valid.version} 版({valid.valid.first} 起)。请换用当期报表重报。"
        due_en = (
            f"the version in force then is {valid.version} (from {valid.valid.first}). Use that one and send again."
        )
    else:
        due_zh = "本单位没有登记该时期有效的版本。请核对统计时期;确属该时期的,请先在 config/forms 中登记当期报表。"
        due_en = (
            "no version in force then is known here. Check the period; if it is right, that period's form is first to be "
            "entered in config/forms."
        )
    return Finding(
        "identity:form",
        Message(
            f"本文件是 {form.title.zh}的 {form.version} 版({form.valid.first} 至 {form.valid.last or '今'}),"
            f"而统计时期为 {period},{due_zh}",
            f"The file is version {form.version} of {form.title.en} ({form.valid.first} to {form.valid.last or 'now'}), "
            f"but its period is {period}: {due_en}",
        ),
        (),
        (form.key,),
        valid.key if valid else None,
    )
