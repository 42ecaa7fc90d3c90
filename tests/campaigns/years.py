"""Years of an office, played through the product's own functions: returns and corrections come, stewards decide, years are signed,
locked and reopened. After every step the newest figures are held against the ledgers of what was told so far.

Not here: what is true, and how it is told wrongly (`ledgers`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from disclosure_etl import deltas, restated, returned, signing
from disclosure_etl.calendar import StoryClock
from disclosure_etl.decisions import Word, waive
from disclosure_etl.office import Office
from disclosure_etl.pipeline import roll_up
from disclosure_etl.releasing import release
from disclosure_etl.reports.publishing import notice_due, publish, table_path
from flows.running import run_period
from schemas.consolidation import Consolidation
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.returns import ReturnAction
from tests.campaigns.ledgers import (
    Ledgers,
    Place,
    consolidated,
    json_return,
    month_sums,
    plus,
    told_wrongly,
)
from tests.campaigns.troubles import Scale, Trouble
from tests.factories import FAMILY, ZONE
from tests.forms.flows import Figures as Whole

WORD = Word("王处长", "单位来函更正")
STEWARD = signing.Wish("王处长", acknowledge="已逐条核实")


@dataclass
class Tally:
    """What was done, for whoever asks how big it was."""

    returns: int = 0
    corrections: int = 0
    deltas: int = 0
    restatements: int = 0
    waivers: int = 0
    reinstated: int = 0
    signed: int = 0


# -- the years


@dataclass
class Years:
    """One run through all months."""

    office: Office
    clock: StoryClock
    scale: Scale
    ledgers: Ledgers
    plan: Sequence[Trouble]
    tally: Tally = field(default_factory=Tally)
    counting: dict[Place, Whole] = field(default_factory=dict)  # what counts now, by what was told so far
    noted: list[tuple[datetime, str, Consolidation]] = field(default_factory=list)
    booked: list[tuple[str, Period, str, str, int]] = field(default_factory=list)
    _open_again: list[int] = field(default_factory=list)
    _put_away: list[Period] = field(default_factory=list)
    _touched: dict[str, Consolidation] = field(default_factory=dict)
    _sums: dict[str, Whole] = field(default_factory=dict)
    _sent: dict[str, Period] = field(default_factory=dict)  # the step in which a file came, by its name

    # what is told

    def form(self, month: Period) -> Form:
        """The form in force."""
        return self.office.forms.choose(FAMILY, month)

    def _carried(self, trouble: Trouble, month: Period) -> tuple[str, Whole]:
        """Who carries a slip on in a later month, and by how much."""
        bureau, step = trouble.bureau, trouble.month
        while step < month:
            bureau = self.ledgers.heirs.get((bureau, step.code), bureau)
            step = step.shifted(1)
        same = self.form(month).key == self.form(trouble.month).key
        return bureau, told_wrongly(self.form(month), trouble.slip, month) if same else {}

    def _told(self, bureau: str, month: Period) -> Whole:
        """What a bureau tells in the month itself: the truth, and whatever it does not know better."""
        told = self.ledgers.true[bureau, month.code]
        for one in self.plan:
            if one.kind in ("total", "flow", "stock") and one.month <= month < one.until:
                carrier, off = self._carried(one, month)
                told = plus(told, off) if carrier == bureau else told
        return told

    def _send(self, bureau: str, month: Period, figures: Whole, revision: int, *, name: str = "", now: Period) -> str:
        data = json_return(self.form(month), month, bureau, figures, revision)
        file = name or f"{bureau}_{month}_{revision}.json"
        (self.office.settings.inbox_path / file).write_bytes(data)
        self._sent[file] = now
        self.tally.returns += 1
        return file

    def _counts(self, bureau: str, month: Period, figures: Whole) -> None:
        self.counting[bureau, month.code] = figures
        self._sums.pop(month.code, None)

    # what is done

    def play(self) -> None:
        """All months, one after the other."""
        for month in self.scale.periods:
            due = self.office.due(month)
            assert due.provisional == (due.day.year == self.scale.unlisted), month
            self._tick(datetime.combine(due.day, time(8), ZONE))
            self._month(month)
            self._corrections(month)
            self._confirm(month)
            for longer in _ended(month):
                if self._adds_up(longer):
                    self._froze([roll_up(self.office, FAMILY, longer)])
            self._chores(month)
            self._hold_against_the_ledgers()
            self._tidy(month)

    def _tick(self, moment: datetime | None = None) -> None:
        self.clock.set(moment or self.clock() + timedelta(minutes=5))

    def _froze(self, versions: Collection[Consolidation]) -> None:
        """What every command does with new versions; and what must hold of each."""
        publish(self.office, versions)
        for one in versions:
            assert table_path(self.office, one).exists(), (one.period, one.version)
            assert one.found == sum(one.counts.values()), (one.period, one.version)
            assert one.cells_read == one.cells_loaded + one.cells_parked, (one.period, one.version)
            self._touched[one.period] = one
        self._tick()

    def _run(self, month: Period, command: str = "consolidate", bureaus: Collection[str] | None = None) -> None:
        ran = run_period(self.office, FAMILY, month, command=command, bureaus=bureaus)
        assert ran.result.faults == ()
        self._froze([*ran.result.later, ran.result.consolidation])

    def _month(self, month: Period) -> None:
        late = {one.bureau for one in self.plan if one.kind == "late" and one.month == month}
        for bureau in self.ledgers.owing(month):
            if bureau not in late:
                told = self._told(bureau, month)
                self._send(bureau, month, told, 1, now=month)
                self._counts(bureau, month, told)
        if month.ordinal == 2:
            self._unreadable(month)
        self._run(month)
        assert set(self._touched[month.code].missing) == late
        for (bureau, code), (indicator, column, amount) in self.ledgers.restated.items():
            if code == month.code:
                self._restate(bureau, month, indicator, column, amount)
        for bureau, code in self.ledgers.unlike:
            if code == month.code:
                self._waive(bureau, month)
        for one in self.plan:
            if one.kind == "back" and one.month == month:
                self._decide(ReturnAction.RETURN, one.bureau, month, 1)

    def _unreadable(self, month: Period) -> None:
        file = f"broken_{month}.xlsx"
        (self.office.settings.inbox_path / file).write_bytes(f"PK\x03\x04{month}".encode())
        self._sent[file] = month

    def _restate(self, bureau: str, month: Period, indicator: str, column: str, amount: int) -> None:
        form = self.form(month)
        told = f"{amount / 10 ** form.indicators[indicator].decimals:.{form.indicators[indicator].decimals}f}"
        wanted = restated.Wanted(bureau, indicator, told, "recount", column)
        done = restated.restate(self.office, FAMILY, month, wanted, WORD)
        assert done.restatement.amount == amount
        self.booked.append((bureau, month, indicator, column, amount))
        self.tally.restatements += 1
        self._froze(done.followed.consolidations)

    def _waive(self, bureau: str, month: Period) -> None:
        def errors():
            return [
                one
                for one in self.office.warehouse.failures(FAMILY, month, bureau)
                if one.failure.severity.value == "error" and one.failure.waiver is None
            ]

        while found := errors():
            done = waive(self.office, FAMILY, found[0], (month, month), WORD)
            self.tally.waivers += 1
            self._froze(done.followed.consolidations)

    def _decide(self, action: ReturnAction, bureau: str, month: Period, revision: int) -> None:
        (one,) = (each for each in self.office.warehouse.returns(FAMILY, month, bureau) if each.revision == revision)
        self._froze(returned.decide(self.office, action, one, WORD).followed.consolidations)

    def _corrections(self, now: Period) -> None:
        again, concerned = [], defaultdict(list)
        for one in self.plan:
            if now not in (one.until, one.between) or one.month >= now:
                continue
            true, revision, name = self.ledgers.true[one.bureau, one.month.code], 2, ""
            if one.between == now:
                true = plus(true, told_wrongly(self.form(one.month), one.slip, one.month))
            elif one.kind == "forth":
                again.append(one)
                revision, name = 1, f"{one.bureau}_{one.month}_again.json"
            elif one.kind == "late":
                revision = 1
            self._send(one.bureau, one.month, true, revision, name=name, now=now)
            self.tally.corrections += one.kind != "late"
            if one not in again:
                self._counts(one.bureau, one.month, true)
            concerned[one.month].append(one.bureau)
            for bureau, month in self._after_a_split(one):
                self._send(bureau, month, self.ledgers.true[bureau, month.code], 2, now=now)
                self._counts(bureau, month, self.ledgers.true[bureau, month.code])
                self.tally.corrections += 1
                concerned[month].append(bureau)
        for month in self._put_away:  # a file that could not be used is gone: the month is frozen anew without it
            self._run(month, "rerun")
        self._put_away.clear()
        for number, (month, own) in enumerate(sorted(concerned.items())):
            if self.office.warehouse.lock_of(FAMILY, month) is not None:
                self._reopen(month)
            else:
                self._run(month, "rerun", own if number % 2 else None)
        for one in again:
            self._decide(ReturnAction.REINSTATE, one.bureau, one.month, 1)
            self._counts(one.bureau, one.month, self.ledgers.true[one.bureau, one.month.code])
            self.tally.reinstated += 1

    def _after_a_split(self, one: Trouble) -> list[tuple[str, Period]]:
        """Where a slip was carried over a split: nobody can say what each begins with, so whoever took it has to say it again."""
        if one.kind not in ("flow", "stock"):
            return []
        steps = [month for month in self.scale.periods if one.month < month < one.until]
        return [
            (self._carried(one, month)[0], month)
            for month in steps
            if self._carried(one, month)[0] in self.ledgers.begin_divided(month)
        ]

    def _reopen(self, month: Period) -> None:
        """What comes for a locked year is held until two people reopen it."""
        before = self.office.warehouse.consolidation(FAMILY, month)
        ran = run_period(self.office, FAMILY, month)
        assert before is not None
        assert ran.result.held_for_lock and ran.result.consolidation.version == before.version
        self._tick()
        done = signing.reopen_year(self.office, FAMILY, month.year, "王处长", "李主任", "单位更正")
        assert done.is_new and done.followed is not None
        self._froze(done.followed.consolidations)
        corrected = next(one for one in done.followed.consolidations if one.period == month.code)
        notice = notice_due(self.office, corrected)
        assert notice is not None and notice.exists()
        self._open_again.append(month.year)

    def _confirm(self, now: Period) -> None:
        """Each bureau confirms once what follows from its corrections; nobody else has anything to."""
        expected: dict[str, list[tuple[Period, Whole]]] = defaultdict(list)
        for one in self.plan:
            if one.kind in ("flow", "stock") and one.until == now:
                told_again = self._after_a_split(one)
                for month in self.scale.periods:
                    carrier, off = self._carried(one, month) if one.month < month < now else ("", {})
                    if off and (carrier, month) not in told_again:
                        expected[carrier].append((month, off))
        waiting = self._in_between(now)
        found = deltas.propose(self.office, FAMILY)
        proposed = {
            (one.bureau, one.period, one.indicator, one.column): one.amount
            for one in found
            if one.bureau not in waiting
        }
        follow = {
            (bureau, month.code, *place): -value
            for bureau, own in expected.items()
            for month, off in own
            for place, value in off.items()
        }
        assert proposed == follow, (now, set(proposed.items()) ^ set(follow.items()))
        for bureau, carried in expected.items():
            done = deltas.confirm(self.office, FAMILY, bureau, WORD)
            assert done.left == ()
            self.tally.deltas += len(done.confirmed)
            for month, off in carried:
                told = self.counting[bureau, month.code]
                self._counts(bureau, month, plus(told, {place: -value for place, value in off.items()}))
            self._froze(done.followed.consolidations)
        assert set(deltas.by_bureau(deltas.propose(self.office, FAMILY))) <= waiting

    def _in_between(self, now: Period) -> set[str]:
        """Whose first return is about to be reinstated: what follows from the second one nobody confirms."""
        found = set()
        for one in self.plan:
            if one.between is not None and one.between <= now < one.until:
                bureau, step = one.bureau, one.month
                while step < now:
                    found.add(bureau)
                    bureau, step = self.ledgers.heirs.get((bureau, step.code), bureau), step.shifted(1)
                found.add(bureau)
        return found

    # what is done once a year

    def _adds_up(self, longer: Period) -> bool:
        return len({self.form(part).key for part in longer.parts(Frequency.MONTHLY)}) == 1

    def _chores(self, month: Period) -> None:
        if month.ordinal == 3:
            self._close(month.year - 1)
        for year in self._open_again:
            self._close(year)
        self._open_again.clear()

    def _close(self, year: int) -> None:
        """Sign every period of a year, in order, and lock it."""
        own = [one for one in self.office.warehouse.consolidated_periods(FAMILY) if one.year == year]
        if not own:
            return
        for period in sorted(own, key=lambda one: (one.end, one.frequency.months)):
            done = signing.sign_off(self.office, FAMILY, period, STEWARD)
            assert done.signed is not None, (period, [one.message.en for one in done.hindrances])
            self.tally.signed += done.is_new
            assert release(self.office, FAMILY, period, "李主任").version.version == done.version.version
            if done.is_new:
                self._froze([*(done.followed.consolidations if done.followed else ()), done.version])
        done = signing.lock_year(self.office, FAMILY, year, "王处长", "年度终了")
        assert done.is_new, [one.message.en for one in done.hindrances]
        self._tick()

    # what must hold

    def sums(self, form: Form, month: Period) -> Whole:
        """A month's own columns over all that counts; nothing of one on another form."""
        if month not in self.scale.periods or self.form(month).key != form.key:
            return {}
        if month.code not in self._sums:
            self._sums[month.code] = month_sums(form, self.counting, month)
        return self._sums[month.code]

    def expected(self, period: Period) -> Mapping[tuple[str, str], int | None]:
        """What the newest figures of a period have to be, by what was told so far."""
        is_month = period.frequency is Frequency.MONTHLY
        form = self.form(period if is_month else period.parts(Frequency.MONTHLY)[-1])
        booked: dict[tuple[str, str], int] = defaultdict(int)
        for _, month, indicator, column, amount in self.booked:
            within = (
                month.year == period.year and month <= period if is_month else period.start <= month.start <= period.end
            )
            if (
                within
                and column in form.columns
                and indicator in form.indicators
                and not form.indicators[indicator].is_stock
            ):
                own = form.columns[column].cumulates
                booked[indicator, column if is_month else str(own)] += amount
        return consolidated(form, lambda month: self.sums(form, month), period, booked)

    def _hold_against_the_ledgers(self) -> None:
        for code in self._touched:
            stored = self.office.warehouse.consolidation(FAMILY, Period.parse(code))
            assert stored is not None
            assert_same(stored, self.expected(Period.parse(code)))
            self.noted.append((self.clock(), code, stored))
        self._touched.clear()
        self._tick()

    def _tidy(self, now: Period) -> None:
        """What has lain in the inbox for two months is put away, as people do."""
        for file, came in list(self._sent.items()):
            if came < now.shifted(-1):
                (self.office.settings.inbox_path / file).unlink()
                del self._sent[file]
                self._put_away += [came] * file.startswith("broken")


def _ended(month: Period) -> list[Period]:
    """The longer periods that end with a month."""
    longer = [Period.of_day(month.start, one) for one in Frequency if one.months > 1]
    return [one for one in longer if one.end == month.end]


def assert_same(one: Consolidation, expected: Mapping[tuple[str, str], int | None]) -> None:
    """The figures of a version are just these."""
    found = {(figure.indicator, figure.column): figure.value for figure in one.figures if figure.measure != "share"}
    differing = {
        place: (found.get(place), expected.get(place))
        for place in found.keys() | expected.keys()
        if found.get(place) != expected.get(place)
    }
    assert not differing, (one.period, one.version, differing)
