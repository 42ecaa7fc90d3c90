"""The story as it is played: files arrive, months are consolidated, two blocks are held, corrections come, the year adds up.

Everything happens in one folder, under the story's own clock. Not here: the figures (`story`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from disclosure_etl.calendar import StoryClock
from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from flows.demo import open_month, story
from flows.demo.folder import clear_earlier, note_written
from flows.running import Ran, run_period
from flows.session import CLEAN, PROGRAM_FAULT, Session
from schemas.consolidation import Consolidation
from schemas.periods import Period
from schemas.records import Status
from schemas.values import figure_text

_ZONE = ZoneInfo("Asia/Shanghai")
_FAMILY = "bureau-monthly"

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

Run = Callable[[str, Period], Ran]


def play(session: Session, folder: Path, *, recorded: bool) -> int:
    """Play the story in `folder` (new, empty, or of an earlier demonstration), and say whether it came true."""
    demo = _prepare(session, folder)
    try:
        return _play(session, folder, demo, recorded)
    finally:
        note_written(folder)


def _play(session: Session, folder: Path, demo: _Demo, recorded: bool) -> int:
    began = monotonic()
    session.say(
        f"■ 2014 年:17 个单位、12 个月的报表写入 {folder / 'inbox'}",
        f"■ 2014: the returns of 17 bureaus for 12 months are written to {folder / 'inbox'}",
    )
    demo.write_year()
    versions: dict[str, list[str]] = {}  # of each month: what each of its versions was frozen for
    with ExitStack() as stack:
        run = _runner(stack, session, demo.office, recorded)
        session.say(
            "■ 逐月汇总(每月 6 日,固化初步数;* 含暂存板块的填报数,照填报数计入,未经认定)",
            "■ Month by month (on the 6th, freezing provisional figures; * includes held blocks: counted as reported, not validated)",
        )
        for number in range(1, story.MONTHS + 1):
            period = story.month_of(number)
            demo.clock.moment = datetime(story.YEAR, period.shifted(1).ordinal, 6, 8, tzinfo=_ZONE)
            if number == story.MONTHS:
                demo.clock.moment = demo.clock.moment.replace(year=story.YEAR + 1)
            ran = run("consolidate", period)
            _tell_month(session, ran.result.consolidation, _noted(versions, ran))
        held = _tell_held(session, demo.office)
        demo.clock.moment = datetime(story.YEAR + 1, 1, 8, 9, tzinfo=_ZONE)
        provisional = run("consolidate", Period.parse(str(story.YEAR))).result.consolidation
        demo.clock.moment = datetime(story.YEAR + 1, 1, 15, 9, tzinfo=_ZONE)
        demo.write_corrections()
        session.say(
            "■ 2015 年 1 月 15 日:两份更正表和缺报的一份到达,重新汇总这三个月(其后各月的累计数也随之固化新版)",
            "■ 15 January 2015: two corrections and the missing return have arrived; those three months are run again, and "
            "every later month is frozen anew, since its cumulatives contain them",
        )
        for number in sorted({story.LETTER_SLIP[1], story.RECONSIDERATION_SLIP[1], story.MISSING[1]}):
            ran = run("rerun", story.month_of(number))
            _tell_month(session, ran.result.consolidation, _noted(versions, ran))
            for fault in ran.result.faults:
                session.console.print(fault, markup=False)
        demo.clock.moment = datetime(story.YEAR + 1, 1, 16, 9, tzinfo=_ZONE)
        year = run("consolidate", Period.parse(str(story.YEAR))).result.consolidation
        waiting = _leave_open(session, demo, run)
    true = _tell_year(session, demo.office, provisional, year) and held and waiting
    _tell_end(session, folder, monotonic() - began, true)
    return CLEAN if true else PROGRAM_FAULT


def _leave_open(session: Session, demo: _Demo, run: Run) -> bool:
    """January comes in and is consolidated; true if exactly what is sown there waits for a person."""
    due = demo.office.due(open_month.PERIOD).day
    demo.write_open_month()
    demo.clock.moment = datetime(due.year, due.month, due.day, 18, tzinfo=_ZONE)
    one = run("consolidate", open_month.PERIOD).result.consolidation
    asked = {state.bureau for state in one.bureaus if state.errors or state.warnings}
    session.say(
        f"■ 2015 年 1 月(虚构):{len(asked)} 个单位各有一处留给审核台,由人决定",
        f"■ January 2015 (invented): at {len(asked)} bureaus something is left for the review desk, to be decided by a person",
    )
    return asked == {each.bureau for each in open_month.WAITING}


def _noted(versions: dict[str, list[str]], ran: Ran) -> Sequence[str]:
    """Note what each version of a run was frozen for; of the run's own period, the corrections of other months for which
    the versions since it was last told were frozen."""
    own, later = ran.result.consolidation, ran.result.later
    told = versions.setdefault(own.period, [])
    between = told[_last_own(told, own.period) + 1 :]
    for one in (own, *later):
        frozen = versions.setdefault(one.period, [])
        frozen += [own.period] * (one.version - len(frozen))
    return between


def _last_own(reasons: Sequence[str], period: str) -> int:
    return max((at for at, reason in enumerate(reasons) if reason == period), default=-1)


@dataclass
class _Demo:
    """The demonstration's office, clock and files."""

    office: Office
    clock: StoryClock

    def write_year(self) -> None:
        """All returns as they first arrived, with the slips, a missing one, a double one and a damaged one."""
        form = self.office.forms.choose(_FAMILY, story.month_of(1))
        bureaus = self.office.owing(_FAMILY, story.month_of(1))
        self.year = story.tell_year(form, [bureau.code for bureau in bureaus])
        self.names = {bureau.code: bureau.name_zh for bureau in bureaus}
        slips = {slip[:2]: slip[2:] for slip in (story.LETTER_SLIP, story.RECONSIDERATION_SLIP)}
        for (bureau, number), cells in self.year.figures.items():
            if (bureau, number) == story.MISSING:
                continue
            if (bureau, number) in slips:
                indicator, difference = slips[(bureau, number)]
                cells = story.with_slip(cells, (indicator, "month"), difference)
            self._write(bureau, number, cells)
        inbox = self.office.settings.inbox_path
        whole = (inbox / "2014-03" / f"{self.names['changping']}_2014-03.xlsx").read_bytes()
        self._put(f"2014-03/{self.names['changping']}_2014-03(再发).xlsx", whole, story.month_of(3))
        cut = (inbox / "2014-05" / f"{self.names['fangshan']}_2014-05.xlsx").read_bytes()
        self._put(f"2014-05/{self.names['fangshan']}_2014-05(上传中断).xlsx", cut[: len(cut) // 2], story.month_of(5))

    def write_corrections(self) -> None:
        """The two corrected returns, as second revisions, and the return that was missing."""
        for bureau, number, *_ in (story.LETTER_SLIP, story.RECONSIDERATION_SLIP):
            self._write(bureau, number, self.year.figures[(bureau, number)], revision=2, arrived=self.clock.moment)
        bureau, number = story.MISSING
        self._write(bureau, number, self.year.figures[story.MISSING], arrived=self.clock.moment)

    def write_open_month(self) -> None:
        """The returns of the month that is left open."""
        form = self.office.forms.choose(_FAMILY, open_month.PERIOD)
        for bureau, cells, waiting in open_month.tell_month(form, self.year):
            header, note = (waiting.header, waiting.note) if waiting else ({}, "")
            self._put_return(bureau, open_month.PERIOD, Filling(self._header(bureau) | header, cells, note=note))

    def _write(
        self,
        bureau: str,
        number: int,
        cells: Mapping[tuple[str, str], Decimal],
        revision: int = 1,
        arrived: datetime | None = None,
    ) -> None:
        suffix = f"_更正{revision}" if revision > 1 else ""
        filling = Filling(self._header(bureau) | {"revision": str(revision)}, cells)
        self._put_return(bureau, story.month_of(number), filling, suffix, arrived)

    def _header(self, bureau: str) -> dict[str, str]:
        return {
            "bureau": self.names[bureau], "bureau_code": bureau, "preparer": "填报员", "checker": "审核员", "signer": "局长",
        }  # fmt: skip

    def _put_return(
        self, bureau: str, period: Period, filling: Filling, suffix: str = "", arrived: datetime | None = None
    ) -> None:
        data = workbook(self.office.forms.choose(_FAMILY, period), period, filling)
        self._put(f"{period}/{self.names[bureau]}_{period}{suffix}.xlsx", data, period, arrived)

    def _put(self, name: str, data: bytes, period: Period, arrived: datetime | None = None) -> None:
        path = self.office.settings.inbox_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        day = self.office.due(period).day - timedelta(days=2)
        moment = (arrived or datetime(day.year, day.month, day.day, 16, tzinfo=_ZONE)).timestamp()
        os.utime(path, (moment, moment))


def _prepare(session: Session, folder: Path) -> _Demo:
    """A fresh office in `folder`; a folder with anything else in it is not touched."""
    if clear_earlier(folder):
        session.say(f"■ {folder} 中以前的演示被替换", f"■ the earlier demonstration in {folder} is replaced")
    default = load_settings(None, {}, folder.resolve()).dirs.default
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        (folder / "config").mkdir(exist_ok=True)
        shutil.copyfile(default / name, folder / "config" / name)
    # The story is told in its own warehouse, whatever the environment says of the real one.
    settings = load_settings(folder / "config", {}, Path.cwd())
    settings.inbox_path.mkdir(parents=True, exist_ok=True)
    clock = StoryClock(datetime(story.YEAR, 2, 6, 8, tzinfo=_ZONE))
    return _Demo(Office(settings, clock), clock)


def _runner(stack: ExitStack, session: Session, office: Office, recorded: bool) -> Run:
    if not recorded:
        return lambda command, period: run_period(office, _FAMILY, period, command=command)
    from flows.prefect_runs import recording, run_in_flow

    session.say(
        "■ 启动本机的 Prefect 服务(首次约 15 秒)……",
        "■ Starting a Prefect server on this machine (about 15 s at first) …",
    )
    stack.enter_context(recording(office.settings))
    return lambda command, period: run_in_flow(office, command, _FAMILY, period.code)


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


def _tell_month(session: Session, one: Consolidation, between: Sequence[str]) -> None:
    """A line for a month. `between`: the other months whose corrections froze the versions since its last line."""
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


def _tell_held(session: Session, office: Office) -> bool:
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
        one = office.warehouse.consolidation(_FAMILY, period)
        assert one is not None
        holding = {(state.bureau, one.period, block) for state in one.bureaus for block in state.held_blocks}
        found |= holding
        if holding:
            names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
            show_failures(session, office.warehouse.failures(_FAMILY, period), (), names)
    return found == expected


def _tell_year(session: Session, office: Office, first: Consolidation, year: Consolidation) -> bool:
    """The year before and after, beside what was published; true if every figure is as it must be."""
    from flows.console import labels_of

    form = office.forms.choose(_FAMILY, story.month_of(1))
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


def _tell_end(session: Session, folder: Path, seconds: float, true: bool) -> None:
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
