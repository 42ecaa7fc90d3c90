"""The story as it is played: files arrive, months are consolidated, two blocks are held, corrections come, the year adds up.

Everything happens in one folder, under the story's own clock. Not here: the figures (`story`), what is said
of them (`telling`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from disclosure_etl.calendar import StoryClock
from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from flows.demo import open_month, story
from flows.demo.folder import clear_earlier, note_written
from flows.demo.telling import tell_end, tell_held, tell_month, tell_year
from flows.running import Ran, run_period
from flows.session import CLEAN, PROGRAM_FAULT, Session
from schemas.periods import Period

_ZONE = ZoneInfo("Asia/Shanghai")

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
            tell_month(session, ran.result.consolidation, _noted(versions, ran))
        held = tell_held(session, demo.office)
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
            tell_month(session, ran.result.consolidation, _noted(versions, ran))
            for fault in ran.result.faults:
                session.console.print(fault, markup=False)
        demo.clock.moment = datetime(story.YEAR + 1, 1, 16, 9, tzinfo=_ZONE)
        year = run("consolidate", Period.parse(str(story.YEAR))).result.consolidation
        waiting = _leave_open(session, demo, run)
    true = tell_year(session, demo.office, provisional, year) and held and waiting
    tell_end(session, folder, monotonic() - began, true)
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
        form = self.office.forms.choose(story.FAMILY, story.month_of(1))
        bureaus = self.office.owing(story.FAMILY, story.month_of(1))
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
        form = self.office.forms.choose(story.FAMILY, open_month.PERIOD)
        for bureau, cells, waiting in open_month.tell_month(form, self.year):
            header, note = (waiting.header, waiting.note) if waiting else ({}, "")
            self._put_return(bureau, open_month.PERIOD, Filling({**self._header(bureau), **header}, cells, note=note))

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
        data = workbook(self.office.forms.choose(story.FAMILY, period), period, filling)
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
        return lambda command, period: run_period(office, story.FAMILY, period, command=command)
    from flows.prefect_runs import recording, run_in_flow

    session.say(
        "■ 启动本机的 Prefect 服务(首次约 15 秒)……",
        "■ Starting a Prefect server on this machine (about 15 s at first) …",
    )
    stack.enter_context(recording(office.settings))
    return lambda command, period: run_in_flow(office, command, story.FAMILY, period.code)
