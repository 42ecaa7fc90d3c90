"""What the demonstration says of its months and its year, beside what was published, and whether all came as it must.

Not here: what happens (`play`), the figures (`story`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from disclosure_etl.office import Office
from flows.demo import story
from flows.session import Session
from schemas.consolidation import Consolidation
from schemas.records import Status
from schemas.values import figure_text

# What the published report printed, beside what the corrected year must come to.
EXPECTED: dict[str, tuple[str, str | None]] = {
    "publications": ("12176", "12176"),
    "publications.organisation": ("12", "12"),
    "publications.regulations": ("7", "7"),
    "publications.plans": ("6", "6"),
    "publications.duties": ("1", "1"),
    "publications.business": ("12150", "12150"),
    "enquiries": ("9800", "9800"),
    "enquiries.on_site": ("5600", "5600"),
    "enquiries.telephone": ("4200", "4200"),
    "applications.received": ("7390", "7390"),
    "applications.received.in_person": ("5604", "5604"),
    "applications.received.fax": ("8", "8"),
    "applications.received.internet": ("21", "21"),
    "applications.received.letter": ("1757", "1759"),
    "replies": ("7337", "7337"),
    "replies.granted": ("3167", "3167"),
    "replies.partly_granted": ("76", "76"),
    "replies.refused": ("42", "42"),
    "replies.not_exist": ("3469", "3469"),
    "replies.not_held": ("251", "251"),
    "replies.unclear": ("262", "262"),
    "replies.not_government_information": ("29", "29"),
    "replies.already_public": ("41", "41"),
    "applications.withdrawn": ("0", None),
    "applications.closing": ("53", None),
    "fees.collected": ("4711.7", "4711.7"),
    "fees.collected.postage": ("0", "0"),
    "fees.waived": ("632.1", "632.1"),
    "reconsiderations.received": ("91", "91"),
    "reconsiderations.upheld": ("64", "63"),
    "reconsiderations.rejected_or_terminated": ("6", "6"),
    "reconsiderations.revoked": ("5", "5"),
    "reconsiderations.ordered_to_act": ("1", "1"),
    "reconsiderations.closing": ("15", "15"),
    "litigation.received": ("290", "290"),
}
_SHOWN = (
    "publications", "enquiries", "applications.received", "applications.received.letter", "replies",
    "applications.closing", "fees.collected", "fees.waived", "reconsiderations.received", "reconsiderations.upheld",
    "reconsiderations.closing", "litigation.received",
)  # fmt: skip


def _value(one: Consolidation, indicator: str) -> str:
    figure = next(figure for figure in one.figures if (figure.indicator, figure.column) == (indicator, "month"))
    return "" if figure.value is None else figure_text(figure.value, figure.scale)


def _marked(one: Consolidation, indicator: str, otherwise: str = "") -> str:
    """The figure, with a star where a held block is in it, else with `otherwise`."""
    figure = next(figure for figure in one.figures if (figure.indicator, figure.column) == (indicator, "month"))
    return _value(one, indicator) + (otherwise if figure.validated else "*")


def _versions_between(session: Session, one: Consolidation, between: Sequence[str]) -> str:
    """Why version numbers seem to be skipped: those versions came with the corrections of other months."""
    if not between:
        return ""
    numbers = session.listed(str(number) for number in range(one.version - len(between), one.version))
    months = session.listed(between)
    return session.pick(f"第 {numbers} 版随 {months} 更正固化", f"version {numbers}: with the correction of {months}")


def tell_month(session: Session, one: Consolidation, between: Sequence[str]) -> None:
    """Say a line of a month. `between`: the other months whose corrections froze the versions since its last line."""
    held = [f"{session.pick(state.name_zh, state.name_en)}" for state in one.bureaus if state.held_blocks]
    names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
    notes = [
        session.pick(f"暂存:{'、'.join(held)}", f"held: {', '.join(held)}") if held else "",
        session.pick("未报:", "missing: ") + session.listed(names[code] for code in one.missing) if one.missing else "",
        session.pick(f"重复 {one.counts[Status.DUPLICATE]}", f"duplicate {one.counts[Status.DUPLICATE]}")
        if one.counts[Status.DUPLICATE]
        else "",
        session.pick(f"无法读取 {one.counts[Status.UNREADABLE]}", f"unreadable {one.counts[Status.UNREADABLE]}")
        if one.counts[Status.UNREADABLE]
        else "",
        _versions_between(session, one, between),
    ]
    shown = "  ".join(filter(None, notes))
    published, received, replied = (
        f"{_marked(one, code, ' '):>{width}}"
        for code, width in (("publications", 6), ("applications.received", 5), ("replies", 5))
    )
    session.say(
        f"  {one.period} 第 {one.version} 版  已认定 {one.counts[Status.ACCEPTED]:>2}  公开 {published}条"
        f"  申请 {received}件  答复 {replied}件  {shown}",
        f"  {one.period} version {one.version}  accepted {one.counts[Status.ACCEPTED]:>2}  "
        f"published {published} applications {received} replies {replied} {shown}",
    )


def tell_held(session: Session, office: Office) -> bool:
    """Which blocks are held, and why; true if they are exactly the two of the story."""
    from flows.console import show_failures

    expected = {
        (slip[0], story.month_of(slip[1]).code, slip[2].split(".")[0])
        for slip in (story.LETTER_SLIP, story.RECONSIDERATION_SLIP)
    }
    found = set()
    session.say("■ 暂存的板块与原因", "■ What is held, and why")
    for number in range(1, story.MONTHS + 1):
        period = story.month_of(number)
        one = office.warehouse.consolidation(story.FAMILY, period)
        assert one is not None
        holding = {(state.bureau, one.period, block) for state in one.bureaus for block in state.held_blocks}
        found |= holding
        if holding:
            names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
            show_failures(session, office.warehouse.failures(story.FAMILY, period), (), names)
    return found == expected


def tell_year(session: Session, office: Office, first: Consolidation, year: Consolidation) -> bool:
    """The year before and after, beside what was published; true if every figure is as it must be."""
    from flows.console import labels_of

    form = office.forms.choose(story.FAMILY, story.month_of(1))
    table = Table(
        box=None, pad_edge=False, title=session.pick("■ 2014 年全年", "■ The year 2014"), title_justify="left"
    )
    table.add_column(session.pick("指标", "indicator"))
    heads = (
        ("更正前(缺 1 份,含 2 个暂存板块)", "before (1 missing, 2 blocks held)"),
        ("更正后", "corrected"),
        ("当年公布", "published"),
    )
    for zh, en in heads:
        table.add_column(session.pick(zh, en), justify="right")
    for code, label in zip(_SHOWN, labels_of(session, form, _SHOWN), strict=True):
        before, after, published = _value(first, code), _value(year, code), EXPECTED[code][1] or "—"
        style = "yellow" if before != after or published not in ("—", after) else ""
        table.add_row(
            label.replace("本月", "本年"),
            _marked(first, code),
            Text(_marked(year, code), style="bold"),
            published,
            style=style,
        )
    session.console.print(table)
    return (
        all(_value(year, code) == expected for code, (expected, _) in EXPECTED.items())
        and _value(first, "applications.received.letter") == "1759"
        and _value(first, "reconsiderations.upheld") == "63"
        and not year.missing
        and all(figure.validated for figure in year.figures)
    )


def _how_we_are_called() -> str:
    """The command as a person can type it here: `make demo` leaves it in the environment's folder, off the path."""
    name = "disclosure-etl"
    if shutil.which(name):
        return name
    here = Path(sys.argv[0])
    if here.name != name:
        return name
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here)


def tell_end(session: Session, folder: Path, seconds: float, true: bool) -> None:
    """Say what was invented, whether the story came true, and what to look at next."""
    session.say(
        "■ 说明:两处错填的单元格是虚构的。真实的 2014 年年报把信函 1,759 与总数 7,390、维持 63 与总数 91 一同印出,"
        "两个合计都不成立(渠道相加为 7,392,复议相加为 90);真正错在哪一格无人知道,年报中的占比是按 1,759 ÷ 7,390 算的。",
        "■ Note: the two slips are invented. The real 2014 report printed 1,759 letters beside a total of 7,390, and 63 upheld "
        "beside 91, so neither sum holds (channels add to 7,392, reconsiderations to 90). Which cells were wrong nobody "
        "knows; the report's shares were computed on 1,759 of 7,390.",
    )
    session.say(
        f"■ {'故事如数兑现' if true else '故事没有兑现(程序有误)'},用时 {seconds:.0f} 秒。接下来可以看:",
        f"■ The story {'came true' if true else 'did NOT come true (a fault of the program)'}, in {seconds:.0f} s. Look next at:",
    )
    us, config = _how_we_are_called(), folder / "config"
    slip = story.month_of(story.LETTER_SLIP[1])
    for command in (
        f"{us} --config {config} status",
        f"{us} --config {config} status {slip} --version 1",
        f"{us} --config {config} check '{folder}/inbox/{slip}/海淀分局_{slip}.xlsx'",
    ):
        session.console.print(f"    {command}", markup=False, soft_wrap=True)
    session.say(
        f"    审核台(2015-01 待审):{us} --config {config} desk create-user wang --name 王芳 --role steward,然后 {us} --config {config} desk",
        f"    the review desk (2015-01 waits): {us} --config {config} desk create-user wang --name Wang --role steward, then "
        f"{us} --config {config} desk",
    )
    before = folder / "out" / slip.code / f"汇总表-{slip}-v1.xlsx"
    session.say(
        f"    更正前的汇总表:{before}(红色斜体为暂存板块;更正后的各版在同一目录)",
        f"    the table before the correction: {before} (held blocks in red italics; later versions beside it)",
    )
