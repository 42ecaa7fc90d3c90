"""The words of failures, in Chinese and English from one place: what is wrong, where, seen, expected, what to do.

One function a kind; each gets facts, never a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.constraints import Kind
from schemas.errors import Message
from schemas.forms import Label
from schemas.kernels import Diagnosis
from schemas.values import Trouble


@dataclass(frozen=True, slots=True)
class Named:
    """A figure as a message tells it: its label, its text as written ('' where there is none), its cell. `previous`: it is
    the preceding period's."""

    zh: str
    en: str
    text: str
    cell: str
    previous: bool = False

    def label(self, language: str) -> str:
        """Its label, of which period it is where it is not this one."""
        if language == "zh":
            return f"上期{self.zh}" if self.previous else self.zh
        return f"preceding {self.en}" if self.previous else self.en

    @property
    def text_zh(self) -> str:
        """What is written, in a Chinese sentence."""
        return self.text or "(空白)"

    @property
    def text_en(self) -> str:
        """What is written, in an English sentence."""
        return self.text or "nothing"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message tells. `figures` end with the one that the others imply."""

    figures: Sequence[Named]
    column_zh: str
    column_en: str
    expected: str | None = None
    difference: str | None = None


def _sum(figures: Sequence[Named], language: str) -> str:
    return " + ".join(f"{one.label(language)} {one.text or '—'}" for one in figures)


def _cells(figures: Sequence[Named], separator: str = "、") -> str:
    """Locators one after the other; what they share with the one before (the sheet) is said once."""
    shown, sheet = [], ""
    for cell in (one.cell for one in figures if one.cell):
        before, mark, place = cell.rpartition("!")
        shown.append(place if mark and before == sheet else cell)
        sheet = before
    return separator.join(shown)


def _signed(difference: str | None) -> tuple[str, str]:
    text = difference or "0"
    return (f"少 {text[1:]}", f"{text[1:]} less") if text.startswith("-") else (f"多 {text}", f"{text} more")


def _breakdown(facts: Facts) -> Message:
    *parts, total = facts.figures
    more_zh, more_en = _signed(facts.difference)
    return Message(
        f"「{total.zh}」{facts.column_zh}填报 {total.text_zh},各分项合计 {facts.expected},{more_zh}:"
        f"{_sum(parts, 'zh')}(单元格 {_cells(facts.figures)})。请核对分项与总数后重报。",
        f"{total.en}, {facts.column_en}: {total.text_en} is reported, the parts add to {facts.expected}, {more_en}: "
        f"{_sum(parts, 'en')} (cells {_cells(facts.figures, ', ')}). Check parts and total, and send again.",
    )


def _row_total(facts: Facts) -> Message:
    *_, total = facts.figures
    more_zh, more_en = _signed(facts.difference)
    return Message(
        f"「{total.zh}」一行的合计填报 {total.text_zh},各列相加为 {facts.expected},{more_zh}(单元格 {_cells(facts.figures)})。"
        "请核对后重报。",
        f"{total.en}: the row total is {total.text_en}, the columns add to {facts.expected}, {more_en} "
        f"(cells {_cells(facts.figures, ', ')}). Check and send again.",
    )


def _balance(facts: Facts) -> Message:
    *_, closing = facts.figures
    shown_zh = ",".join(f"{one.zh} {one.text or '—'}" for one in facts.figures)
    shown_en = ", ".join(f"{one.en} {one.text or '—'}" for one in facts.figures)
    return Message(
        f"{facts.column_zh}收支不平:上期结转 + 新收 − 办结应等于「{closing.zh}」,推算为 {facts.expected},填报 {closing.text_zh},"
        f"相差 {facts.difference}。{shown_zh}(单元格 {_cells(facts.figures)})。请核对是否漏填或多填办结数后重报。",
        f"{facts.column_en}: opening + received − settled should be '{closing.en}': that gives {facts.expected}, reported "
        f"is {closing.text_en}, a difference of {facts.difference}. {shown_en} (cells {_cells(facts.figures, ', ')}). Check for a "
        "result left out or entered twice, and send again.",
    )


def _outcomes(facts: Facts) -> Message:
    return Message(
        f"{facts.column_zh}办结数多于收到数 {facts.difference}(单元格 {_cells(facts.figures)})。请核对,如含上期结转请说明。",
        f"{facts.column_en}: more cases settled than received, by {facts.difference} (cells {_cells(facts.figures, ', ')}). "
        "Check; if earlier cases are among them, say so.",
    )


def _subset(facts: Facts) -> Message:
    part, whole = facts.figures
    return Message(
        f"「{part.zh}」{facts.column_zh}为 {part.text_zh},超过所属的「{whole.zh}」{whole.text_zh}(单元格 {_cells(facts.figures)})。"
        "请核对后重报。",
        f"{part.en}, {facts.column_en}, is {part.text_en}, more than {whole.en} with {whole.text_en}, of which it is part "
        f"(cells {_cells(facts.figures, ', ')}). Check and send again.",
    )


def _year_to_date(facts: Facts) -> Message:
    *_, total = facts.figures
    return Message(
        f"「{total.zh}」{facts.column_zh}填报 {total.text_zh},按上期累计与本期推算应为 {facts.expected}"
        f"({_sum(facts.figures[:-1], 'zh')};单元格 {_cells(facts.figures)})。请核对本期数与累计数后重报。",
        f"{total.en}, {facts.column_en}: {total.text_en} is reported; the last cumulative and this period give {facts.expected} "
        f"({_sum(facts.figures[:-1], 'en')}; cells {_cells(facts.figures, ', ')}). Check both figures and send again.",
    )


def _opening(facts: Facts) -> Message:
    before, opening = facts.figures
    return Message(
        f"「{opening.zh}」填报 {opening.text_zh},上期已认定的「{before.zh}」是 {before.text_zh}(单元格 {_cells(facts.figures)})。"
        "请按上期结转数更正;如上期有误,请先更正上期。",
        f"{opening.en} is reported as {opening.text_en}; the accepted {before.en} of the preceding period is {before.text_en} "
        f"(cells {_cells(facts.figures, ', ')}). Correct it to that; if the earlier figure is wrong, correct that period first.",
    )


def _share_column(facts: Facts) -> Message:
    return Message(
        f"{facts.column_zh}各占比相加为 {facts.expected},与 100 相差 {facts.difference},超出四舍五入所能解释的范围"
        f"(单元格 {_cells(facts.figures)})。请核对分项、总数与占比。",
        f"{facts.column_en}: the shares add to {facts.expected}, {facts.difference} off 100, which rounding cannot explain "
        f"(cells {_cells(facts.figures, ', ')}). Check parts, total and shares.",
    )


_LINEAR = {
    Kind.BREAKDOWN: _breakdown,
    Kind.ROW_TOTAL: _row_total,
    Kind.BALANCE: _balance,
    Kind.OUTCOMES: _outcomes,
    Kind.SUBSET: _subset,
    Kind.YEAR_TO_DATE: _year_to_date,
    Kind.OPENING: _opening,
    Kind.SHARE_COLUMN: _share_column,
}


def rule_message(kind: Kind, facts: Facts) -> Message:
    """The message of a failed rule over several figures."""
    return _LINEAR[kind](facts)


def share_message(diagnosis: str, facts: Facts, other_total: str | None) -> Message:
    """The message of a share off its rounding. `facts.figures`: part, total, share."""
    part, total, share = facts.figures
    zh = f"「{part.zh}」占「{total.zh}」的比重印为 {share.text_zh},按 {part.text_zh} ÷ {total.text_zh} 应为 {facts.expected}"
    en = f"The share of {part.en} in {total.en} is printed {share.text_en}; {part.text_en} of {total.text_en} gives {facts.expected}"
    why = {
        Diagnosis.ADJUSTED: (
            "系为使各占比合计恰为 100 而调整一个末位单位",
            "adjusted by one unit of its last place so that the column adds to 100",
        ),
        Diagnosis.OTHER_TOTAL: (
            f"系按另一总数 {other_total} 计算,请改按填报总数计算",
            f"computed on another total, {other_total}; compute it on the stated one",
        ),
        Diagnosis.TRUNCATED: ("系截尾而未四舍五入,请四舍五入", "cut off instead of rounded; round it"),
        Diagnosis.UNATTAINABLE: (
            "任何整数件数都得不出这一占比,请核对分项、总数与占比",
            "no whole number of cases has this share; check part, total and share",
        ),
        Diagnosis.WRONG: ("请核对分项、总数与占比", "check part, total and share"),
    }[diagnosis]
    return Message(
        f"{zh},{why[0]}(单元格 {_cells(facts.figures)})。", f"{en}: {why[1]} (cells {_cells(facts.figures, ', ')})."
    )


def required_message(figure: Named, column_zh: str, column_en: str) -> Message:
    """A required cell that is blank."""
    return Message(
        f"「{figure.zh}」{column_zh}为必填项,{figure.cell or '文件中'}没有填写。如为零请填 0。",
        f"{figure.en}, {column_en}, must be filled in; {figure.cell or 'the file'} has nothing there. Zero is written 0.",
    )


def negative_message(figure: Named, column_zh: str, column_en: str) -> Message:
    """A figure below zero."""
    return Message(
        f"「{figure.zh}」{column_zh}为负数 {figure.text}({figure.cell})。数量和金额不得小于零,请更正。",
        f"{figure.en}, {column_en}, is negative: {figure.text} ({figure.cell}). Counts and amounts are at least zero.",
    )


def uncalculated_shares_message(total: Label, column: Label, shares: Sequence[Named]) -> Message:
    """Share formulas without results, of one breakdown."""
    return Message(
        f"「{total.zh}」{column.zh}各项占比({_cells(shares)})是从未计算过的公式,占比未经核对。"
        "请用电子表格软件打开、重算并保存。",
        f"The shares of {total.en}, {column.en} ({_cells(shares, ', ')}) are formulas that were never calculated, so they "
        "were not checked. Open, recalculate and save the file.",
    )


def reading_message(
    trouble: Trouble, figure: Named, column_zh: str, column_en: str, unit: str, decimals: int
) -> Message:
    """A cell whose content is not the figure that it should be."""
    allowed_zh = "整数" if decimals == 0 else f"至多 {decimals} 位小数的数"
    allowed_en = "a whole number" if decimals == 0 else f"a number with at most {decimals} decimals"
    zh, en = {
        Trouble.TEXT: (
            f"写着「{figure.text}」,不是数字。请填{allowed_zh}(单位:{unit})",
            f"says '{figure.text}', which is no figure. Write {allowed_en} (unit: {unit})",
        ),
        Trouble.ERROR_VALUE: (
            f"是错误值 {figure.text}。请改正公式或直接填数",
            f"holds the error value {figure.text}. Mend the formula or type the figure",
        ),
        Trouble.UNCALCULATED: (
            "是从未计算过的公式。请用电子表格软件打开、重算并保存,或直接填数",
            "holds a formula that was never calculated. Open, recalculate and save the file, or type the figure",
        ),
        Trouble.MERGED: (
            f"是跨多个数据格的合并单元格,「{figure.text}」属于哪一格无法判断。请取消合并后分别填写",
            f"is merged over several figures; which of them '{figure.text}' belongs to is unknown. Unmerge and fill in each",
        ),
        Trouble.DISPLAY_DIFFERS: (
            f"显示为 {figure.text},文件中存的却是另一个数;按显示的取用。请填写{allowed_zh}",
            f"shows {figure.text} while the file stores another number; what it shows is taken. Write {allowed_en}",
        ),
        Trouble.TOO_FINE: (
            f"为 {figure.text},此项应为{allowed_zh}(单位:{unit})。请更正",
            f"is {figure.text}; here belongs {allowed_en} (unit: {unit}). Correct it",
        ),
        Trouble.TOO_LARGE: (
            f"为 {figure.text},大得不可能。请更正",
            f"is {figure.text}, too large to be true. Correct it",
        ),
    }[trouble]
    return Message(
        f"「{figure.zh}」{column_zh}({figure.cell}){zh}。",
        f"{figure.en}, {column_en} ({figure.cell}) {en}.",
    )
