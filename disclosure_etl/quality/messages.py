"""The words of failures, in Chinese and English from one place: what is wrong, where, seen, expected, what to do.

A template a kind of rule, which the rule book prints as it stands here; filling one in takes facts, never a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.constraints import Kind
from schemas.errors import Language, Message
from schemas.kernels import Diagnosis
from schemas.values import Trouble


@dataclass(frozen=True, slots=True)
class Named:
    """A figure as a message tells it: its label, its text as written ('' where there is none), its cell. `whose` says it of
    a figure that is not the return's own (上期, preceding). `among`: its name in a list of figures, where its label alone
    would not tell it from the others there: the column's."""

    zh: str
    en: str
    text: str
    cell: str
    whose: Message | None = None
    among: Message | None = None

    def label(self, language: Language) -> str:
        """Its label, with whose it is where it is not the return's own."""
        return self._of(self.zh if language == "zh" else self.en, language)

    def listed(self, language: Language) -> str:
        """Its name in a list of figures."""
        return self.label(language) if self.among is None else self._of(self.among.in_language(language), language)

    def _of(self, plain: str, language: Language) -> str:
        if self.whose is None:
            return plain
        return f"{self.whose.zh}{plain}" if language == "zh" else f"{self.whose.en} {plain}"

    def written(self, language: Language) -> str:
        """What is written, in a sentence."""
        return self.text or ("(空白)" if language == "zh" else "nothing")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message tells. `figures` end with the one that the others imply; `column` is the column's label."""

    figures: Sequence[Named]
    column: Message
    expected: str | None = None
    difference: str | None = None
    more: Mapping[str, str] | None = None  # further fields of a template, the same in both languages
    title: Message | None = None  # of a rule that is written out


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a template asks for, made when it asks: most templates name a few of the fields."""

    facts: Facts
    language: Language
    more: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        if name in self.more:
            return self.more[name]
        return _FIELDS[name](self.facts, self.language)


def _off(facts: Facts, language: Language) -> str:
    difference = facts.difference or "0"
    less, amount = difference.startswith("-"), difference.lstrip("-")
    if language == "zh":
        return f"{'少' if less else '多'} {amount}"
    return f"{amount} {'less' if less else 'more'}"


def _listed(figures: Sequence[Named], language: Language, separator: str) -> str:
    return separator.join([f"{one.listed(language)} {one.text or '—'}" for one in figures])


# The fields of `schemas.formchecks.MESSAGE_FIELDS`, which says what each is.
_FIELDS: Mapping[str, Callable[[Facts, Language], str]] = {
    "total": lambda facts, language: facts.figures[-1].label(language),
    "seen": lambda facts, language: facts.figures[-1].written(language),
    "part": lambda facts, language: facts.figures[0].label(language),
    "part_seen": lambda facts, language: facts.figures[0].written(language),
    "plain_part": lambda facts, language: facts.figures[0].zh if language == "zh" else facts.figures[0].en,
    "second": lambda facts, language: facts.figures[1].label(language),
    "second_seen": lambda facts, language: facts.figures[1].written(language),
    "parts": lambda facts, language: _listed(facts.figures[:-1], language, " + "),
    "all": lambda facts, language: _listed(facts.figures, language, "," if language == "zh" else ", "),
    "column": lambda facts, language: facts.column.in_language(language),
    "cells": lambda facts, language: _cells(facts.figures, "、" if language == "zh" else ", "),
    "expected": lambda facts, _: facts.expected or "",
    "difference": lambda facts, _: facts.difference or "0",
    "off": _off,
    "title": lambda facts, language: facts.title.in_language(language) if facts.title else "",
}


def _filled(template: Message, facts: Facts, zh: Mapping[str, str], en: Mapping[str, str]) -> Message:
    return Message(template.zh.format_map(_Fields(facts, "zh", zh)), template.en.format_map(_Fields(facts, "en", en)))  # type: ignore[arg-type]


def _cells(figures: Sequence[Named], separator: str) -> str:
    """Locators one after the other; what they share with the one before (the sheet) is said once."""
    shown, sheet = [], ""
    for cell in (one.cell for one in figures if one.cell):
        before, mark, place = cell.rpartition("!")
        shown.append(place if mark and before == sheet else cell)
        sheet = before
    return separator.join(shown)


def filled(template: Message, facts: Facts) -> Message:
    """A template with the facts in it."""
    more = facts.more or {}
    return _filled(template, facts, more, more)


def bridged_message(template: Message, facts: Facts, predecessors: Message) -> Message:
    """A template that names those whose balances are carried over."""
    more = facts.more or {}
    return _filled(
        template, facts, {**more, "predecessors": predecessors.zh}, {**more, "predecessors": predecessors.en}
    )


RULES: Mapping[Kind, Message] = {
    Kind.BREAKDOWN: Message(
        "「{total}」{column}填报 {seen},各分项合计 {expected},{off}:{parts}(单元格 {cells})。请核对分项与总数后重报。",
        "{total}, {column}: {seen} is reported, the parts add to {expected}, {off}: {parts} (cells {cells}). "
        "Check parts and total, and send again.",
    ),
    Kind.ROW_TOTAL: Message(
        "「{total}」一行的合计填报 {seen},各列相加为 {expected},{off}(单元格 {cells})。请核对后重报。",
        "{total}: the row total is {seen}, the columns add to {expected}, {off} (cells {cells}). Check and send again.",
    ),
    Kind.BALANCE: Message(
        "{column}收支不平:上期结转 + 新收 − 办结应等于「{total}」,推算为 {expected},填报 {seen},相差 {difference}。"
        "{all}(单元格 {cells})。请核对是否漏填或多填办结数后重报。",
        "{column}: opening + received − settled should be '{total}': that gives {expected}, reported is {seen}, a difference "
        "of {difference}. {all} (cells {cells}). Check for a result left out or entered twice, and send again.",
    ),
    Kind.OUTCOMES: Message(
        "{column}办结数多于收到数 {difference}(单元格 {cells})。请核对,如含上期结转请说明。",
        "{column}: more cases settled than received, by {difference} (cells {cells}). Check; if earlier cases are among "
        "them, say so.",
    ),
    Kind.SUBSET: Message(
        "「{part}」{column}为 {part_seen},超过所属的「{total}」{seen}(单元格 {cells})。请核对后重报。",
        "{part}, {column}, is {part_seen}, more than {total} with {seen}, of which it is part (cells {cells}). Check and "
        "send again.",
    ),
    Kind.STATED: Message(
        "{column}不符合「{title}」:{all},推算为 {expected},相差 {difference}(单元格 {cells})。请核对后重报。",
        "{column} does not meet '{title}': {all}; {expected} would follow, a difference of {difference} (cells {cells}). "
        "Check and send again.",
    ),
    Kind.SHARE_COLUMN: Message(
        "{column}各占比相加为 {sum},与 100 相差 {difference},超出四舍五入所能解释的范围(单元格 {cells})。"
        "请核对分项、总数与占比。",
        "{column}: the shares add to {sum}, {difference} off 100, which rounding cannot explain (cells {cells}). "
        "Check parts, total and shares.",
    ),
    Kind.SHARE_ATTAINABLE: Message(
        "「{part}」占「{second}」的比重印为 {seen},而总数为 {second_seen} 时没有任何整数件数能得出这一占比,最接近的是 {expected}"
        "(单元格 {cells})。请核对总数与占比,并补填分项。",
        "The share of {part} in {second} is printed {seen}; of {second_seen} no whole number of cases has it, {expected} is "
        "the nearest (cells {cells}). Check total and share, and fill in the part.",
    ),
    Kind.YEAR_TO_DATE: Message(
        "「{total}」{column}填报 {seen},按上期累计与本期推算应为 {expected}({parts};单元格 {cells})。"
        "请核对本期数与累计数后重报。",
        "{total}, {column}: {seen} is reported; the last cumulative and this period give {expected} ({parts}; cells {cells}). "
        "Check both figures and send again.",
    ),
    Kind.OPENING: Message(
        "「{total}」填报 {seen},上期已认定的「{plain_part}」是 {part_seen}(单元格 {cells})。"
        "请按上期结转数更正;如上期有误,请先更正上期。",
        "{total} is reported as {seen}; the accepted {plain_part} of the preceding period is {part_seen} (cells {cells}). "
        "Correct it to that; if the earlier figure is wrong, correct that period first.",
    ),
    Kind.STOCK: Message(
        "「{total}」{column}为 {seen},按上期存量与本期增减推算为 {expected},相差 {difference}:{all}(单元格 {cells})。"
        "如因重新清理、归并等原因变动,请说明;否则请更正。",
        "{total}, {column}, is {seen}; the last stock and what came and went give {expected}, a difference of {difference}: "
        "{all} (cells {cells}). If they were counted anew, say so; otherwise correct it.",
    ),
    Kind.PERIODS: Message(
        "「{total}」{column}填报 {seen},所含各期已认定数合计为 {expected},相差 {difference}(单元格 {cells})。"
        "请核对本表与各期报表,更正有误的一方。",
        "{total}, {column}: {seen} is reported, the accepted returns within the period add to {expected}, a difference of "
        "{difference} (cells {cells}). Compare them, and correct whichever is wrong.",
    ),
    Kind.BRANCH: Message(
        "「{total}」{column}(含下属单位)填报 {seen},少于所属单位自报合计 {part_seen}(单元格 {cells})。请核对是否漏汇。",
        "{total}, {column}, for the whole branch is {seen}, less than the {part_seen} that its units report (cells {cells}). "
        "Check whether one was left out.",
    ),
    Kind.BRIDGE: Message(
        "「{part}」{column}:前身单位({predecessors})上期已认定的「{total}」合计为 {seen},各承接单位的期初数相加为 {sum},"
        "{off}:{parts}(本表单元格 {cells})。请与其他承接单位核对各自承接的数后更正。",
        "{part}, {column}: the accepted {total} of the predecessors ({predecessors}) for the preceding period add to {seen}, "
        "what their successors begin with to {sum}, {off}: {parts} (cells {cells} of this return). Settle with the others "
        "who takes over how much, and correct it.",
    ),
    Kind.JUMP: Message(
        "「{total}」{column}为 {seen},而近 {recent} 期的水平加同类单位本期变动应在 {expected} 左右(单元格 {cells})。"
        "请核对是否填错;如属实请说明原因。",
        "{total}, {column}, is {seen}; the last {recent} periods and how others changed suggest about {expected} (cells "
        "{cells}). Check for a slip; if it is right, say why.",
    ),
    Kind.YEAR_JUMP: Message(
        "「{total}」{column}为 {seen},而去年同期数加同类单位同比变动应在 {expected} 左右(单元格 {cells})。"
        "请核对是否填错;如属实请说明原因。",
        "{total}, {column}, is {seen}; the same period of last year and how others changed suggest about {expected} (cells "
        "{cells}). Check for a slip; if it is right, say why.",
    ),
    Kind.ZERO: Message(
        "「{total}」{column}为零,而 {share} 的单位本期都有发生,中位数为 {median}(单元格 {cells})。请核对是否漏填。",
        "{total}, {column}, is zero, while {share} of the bureaus report some, {median} at the median (cells {cells}). Check "
        "whether it was left out.",
    ),
    Kind.COPY: Message(
        "本期全部 {count} 个有数的指标与上期完全相同(单元格 {cells})。请核对是否误把上期报表再报一次。",
        "All {count} figures that are not zero are those of the last period (cells {cells}). Check whether the last return "
        "was sent again by mistake.",
    ),
}

# An opening where other bureaus merged into this one, or it got a new code.
OPENING_BRIDGED = Message(
    "「{total}」填报 {seen},前身单位({predecessors})上期已认定的「{plain_part}」合计为 {part_seen}(单元格 {cells})。"
    "请按合计数更正;如前身单位上期有误,请先更正其上期报表。",
    "{total} is reported as {seen}; the accepted {plain_part} of the predecessors ({predecessors}) for the preceding period "
    "add to {part_seen} (cells {cells}). Correct it to that; if one of theirs is wrong, correct that return first.",
)

_SHARE_ZH = (
    "「{part}」占「{second}」的比重印为 {seen},按 {part_seen} ÷ {second_seen} 应为 {expected},{why}(单元格 {cells})。"
)
_SHARE_EN = "The share of {part} in {second} is printed {seen}; {part_seen} of {second_seen} gives {expected}: {why} (cells {cells})."


def _share(zh: str, en: str) -> Message:
    return Message(_SHARE_ZH.replace("{why}", zh), _SHARE_EN.replace("{why}", en))


# A share off its rounding, by diagnosis. Figures: part, total, share.
SHARES: Mapping[str, Message] = {
    Diagnosis.ADJUSTED: _share(
        "系为使各占比合计恰为 100 而调整一个末位单位",
        "adjusted by one unit of its last place so that the column adds to 100",
    ),
    Diagnosis.OTHER_TOTAL: _share(
        "系按另一总数 {other} 计算,请改按填报总数计算",
        "computed on another total, {other}; compute it on the stated one",
    ),
    Diagnosis.TRUNCATED: _share("系截尾而未四舍五入,请四舍五入", "cut off instead of rounded; round it"),
    Diagnosis.UNATTAINABLE: _share(
        "任何整数件数都得不出这一占比,请核对分项、总数与占比",
        "no whole number of cases has this share; check part, total and share",
    ),
    Diagnosis.WRONG: _share("请核对分项、总数与占比", "check part, total and share"),
}

# Of running text alone: a part that is listed twice, and a figure that the table beside the text has otherwise.
REPEATED = Message(
    "「{total}」的分项中有一项列了两次;去掉重复后各分项合计 {expected},与总数 {seen} {off}:{parts}({cells})。请核对是否重复或漏写了"
    "另一项。",
    "Among the parts of {total} one is listed twice; without the repeat they add to {expected}, the total is {seen}, {off}: "
    "{parts} ({cells}). Check whether it was repeated, or another part left out.",
)
DIFFERS = Message(
    "正文说「{part}」{part_seen},表中「{total}」是 {seen},相差 {difference}({cells})。请核对正文与表格,更正有误的一方。",
    "The text says {part} {part_seen}, the table has {total} {seen}, a difference of {difference} ({cells}). Compare them, and "
    "correct whichever is wrong.",
)

REQUIRED = Message(
    "「{total}」{column}为必填项,{cell}没有填写。如为零请填 0。",
    "{total}, {column}, must be filled in; {cell} has nothing there. Zero is written 0.",
)
# The same where the file has no such place: what was not recognised there, and so what to mend.
REQUIRED_UNPLACED = {
    "row": Message(
        "「{total}」{column}为必填项,文件中没有找到「{total}」这一行。如有此行,请把行名改回下发表中的写法并放在本板块内;如无,请补上后重报。",
        "{total}, {column}, must be filled in; the file has no row '{total}' that was recognised. Name the row as in the blank "
        "workbook, within its block, or add it, and send again.",
    ),
    "column": Message(
        "「{total}」{column}为必填项,文件中没有找到「{column}」这一列。请把列标题改回下发表中的写法,或补上这一列后重报。",
        "{total}, {column}, must be filled in; no column '{column}' was recognised in its table. Name the heading as in the "
        "blank workbook, or add the column, and send again.",
    ),
    "table": Message(
        "「{total}」{column}为必填项,文件中没有找到「{total}」这一行和「{column}」这一列。请用下发的空白表填报后重报。",
        "{total}, {column}, must be filled in; the file has neither row '{total}' nor column '{column}'. Fill in the blank "
        "workbook and send that.",
    ),
}
NEGATIVE = Message(
    "「{total}」{column}为负数 {seen}({cells})。数量和金额不得小于零,请更正。",
    "{total}, {column}, is negative: {seen} ({cells}). Counts and amounts are at least zero.",
)
UNCALCULATED_SHARES = Message(
    "「{whole}」{column}各项占比({cells})是从未计算过的公式,占比未经核对。请用电子表格软件打开、重算并保存。",
    "The shares of {whole}, {column} ({cells}) are formulas that were never calculated, so they were not checked. Open, "
    "recalculate and save the file.",
)
# A cell whose content is not the figure that it should be, by trouble.
READING: Mapping[Trouble, Message] = {
    trouble: Message(f"「{{total}}」{{column}}({{cells}}){zh}。", f"{{total}}, {{column}} ({{cells}}) {en}.")
    for trouble, (zh, en) in {
        Trouble.TEXT: (
            "写着「{text}」,不是数字。请填{allowed}(单位:{unit})",
            "says '{text}', which is no figure. Write {allowed} (unit: {unit})",
        ),
        Trouble.ERROR_VALUE: (
            "是错误值 {text}。请改正公式或直接填数",
            "holds the error value {text}. Mend the formula or type the figure",
        ),
        Trouble.UNCALCULATED: (
            "是从未计算过的公式。请用电子表格软件打开、重算并保存,或直接填数",
            "holds a formula that was never calculated. Open, recalculate and save the file, or type the figure",
        ),
        Trouble.MERGED: (
            "是跨多个数据格的合并单元格,「{text}」属于哪一格无法判断。请取消合并后分别填写",
            "is merged over several figures; which of them '{text}' belongs to is unknown. Unmerge and fill in each",
        ),
        Trouble.DISPLAY_DIFFERS: (
            "显示为 {text},文件中存的却是另一个数;按显示的取用。请填写{allowed}",
            "shows {text} while the file stores another number; what it shows is taken. Write {allowed}",
        ),
        Trouble.TOO_FINE: (
            "为 {text},此项应为{allowed}(单位:{unit})。请更正",
            "is {text}; here belongs {allowed} (unit: {unit}). Correct it",
        ),
        Trouble.TOO_LARGE: ("为 {text},大得不可能。请更正", "is {text}, too large to be true. Correct it"),
        Trouble.APPROXIMATE: (
            "写着「{text}」,只是约数。请按台账填实际数:{allowed}(单位:{unit})",
            "says '{text}', which is only about so many. Write the exact figure: {allowed} (unit: {unit})",
        ),
        Trouble.OTHER_UNIT: (
            "写着「{text}」,单位与规定的「{unit}」不是一类。请核对是否填错行,并填{allowed}",
            "says '{text}', in a unit of another kind than the one prescribed ({unit}). See whether it is in the right row, and "
            "write {allowed}",
        ),
        Trouble.INTERPRETED: (
            "写着「{text}」,已按其意换算为数取用(单位:{unit})",
            "says '{text}'; it is taken for the figure that it means (unit: {unit})",
        ),
    }.items()
}


def reading_message(trouble: Trouble, facts: Facts, unit: str, decimals: int) -> Message:
    """A cell whose content is not the figure that it should be; `facts.figures` is that cell."""
    text = facts.figures[-1].text
    allowed = Message(
        "整数" if decimals == 0 else f"至多 {decimals} 位小数的数",
        "a whole number" if decimals == 0 else f"a number with at most {decimals} decimals",
    )
    template = READING[trouble]
    common = {"text": text, "unit": unit}
    return _filled(template, facts, common | {"allowed": allowed.zh}, common | {"allowed": allowed.en})


def required_message(facts: Facts, not_found: str | None = None) -> Message:
    """A required cell that is blank; `facts.figures` is that cell. `not_found`: what the file lacks of its place, by the names
    of `REQUIRED_UNPLACED`."""
    if not_found is not None:
        return filled(REQUIRED_UNPLACED[not_found], facts)
    cell = facts.figures[-1].cell
    return _filled(REQUIRED, facts, {"cell": cell}, {"cell": cell})


NIL_AMONG_PEERS = Message(
    "报的是零报告,而同类单位本期普遍有发生:{labels}。请核实确无数据。",
    "A nil return, while nearly all others have {labels}. Make sure that there is nothing to report.",
)


def nil_among_peers_message(labels: Message) -> Message:
    """A nil return where others have much of `labels`."""
    return Message(NIL_AMONG_PEERS.zh.format(labels=labels.zh), NIL_AMONG_PEERS.en.format(labels=labels.en))


def uncalculated_shares_message(whole: Message, facts: Facts) -> Message:
    """Share formulas without results, of the breakdown of `whole`; `facts.figures` are the shares."""
    return _filled(UNCALCULATED_SHARES, facts, {"whole": whole.zh}, {"whole": whole.en})
