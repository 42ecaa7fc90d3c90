"""Deltas: what later accepted figures would have to be after a correction, proposed; and confirmed once by their bureau.

A confirmed delta makes a return of its own, which counts as the bureau's last, and is kept, read and judged like any other.
Not here: how one figure follows from another (`quality.following`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

import numpy as np

from disclosure_etl.decisions import Word
from disclosure_etl.intake.carried_over import carried_over
from disclosure_etl.intake.reading import StoredReader
from disclosure_etl.judgement import Followed, dependents_of, follow, verdict_of
from disclosure_etl.office import Office
from disclosure_etl.quality.following import Step, deltas
from disclosure_etl.succession import changeovers
from disclosure_etl.warehouse import Accepted, Confirmed
from schemas.compiling import constraint_table
from schemas.deltas import Delta
from schemas.errors import Message, ProgramError, UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Batch, Judged, Receipt, Severity, Submission
from schemas.states import State
from schemas.values import UNKNOWN

SOURCE = "confirmed"  # where the receipts of such returns say that they came from


def propose(
    office: Office, family: str, first: Period | None = None, bureaus: Collection[str] | None = None
) -> list[Delta]:
    """The deltas of all bureaus (or of these), by bureau and period, from `first` on; none where nothing is stale."""
    warehouse = office.warehouse
    stale = warehouse.stale_since(family, first)
    if not stale:
        return []
    begin = min(periods[0] for periods in stale.values())
    later = warehouse.later_periods(family, begin)
    last = max(later, default=begin)
    periods = [begin]
    while periods[-1] < last:
        periods.append(periods[-1].shifted(1))
    heirs = {period: _heirs(office, family, period) for period in periods}
    names = list(stale)
    for inherited in heirs.values():  # whoever follows one of them, and whoever follows those
        names += [later for earlier, later in inherited if earlier in names and later not in names]
    accepted = warehouse.accepted(family, periods, names)
    made = (_step(office, family, period, names, accepted, heirs[period]) for period in periods)
    found = deltas(names, [one for one in made if one is not None])
    return [one for one in found if bureaus is None or one.bureau in bureaus]


def _heirs(office: Office, family: str, period: Period) -> list[tuple[str, str]]:
    """Who begins with the period where whom left off; of a split nobody can say."""
    over = changeovers(office.bureaus, family, period)
    return [
        (one, changed.successors[0])
        for changed in over
        if not changed.is_divided
        for one in changed.predecessors
        if one != changed.successors[0]
    ]


def _step(
    office: Office,
    family: str,
    period: Period,
    names: Sequence[str],
    accepted: Accepted,
    heirs: Sequence[tuple[str, str]],
) -> Step | None:
    try:
        table = constraint_table(office.forms.choose(family, period), period)
    except UserError:  # the office has taken the form away
        return None
    scales = {(rule.code, rule.column): rule.terms[-1].cell.scale for rule in table.constraints}
    fails: dict[tuple[str, str], np.ndarray] = {}
    for row, name in enumerate(names):
        for rule, difference in accepted.fails.get((period.code, name), {}).items():
            if rule in scales:
                amounts = fails.setdefault(rule, np.zeros(len(names), np.int64))
                amounts[row] = int(Decimal(difference).scaleb(scales[rule]))
    nil = np.array([(period.code, name) in accepted.nil for name in names])
    rows = [(names.index(one), names.index(other)) for one, other in heirs if one in names and other in names]
    return Step(period.code, table, _figures(accepted, period.code, names), fails, nil, rows)


def _figures(accepted: Accepted, code: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for row, name in enumerate(names):
        for cell, value in accepted.figures.get((code, name), {}).items():
            if cell not in found:
                found[cell] = np.full(len(names), UNKNOWN)
            found[cell][row] = value
    return found


@dataclass(frozen=True)
class Confirmation:
    """What was confirmed: the deltas, the periods that could not be (with why), and the versions frozen because of it."""

    confirmed: tuple[Delta, ...]
    left: tuple[tuple[str, Message], ...]
    followed: Followed


def confirm(office: Office, family: str, bureau: str, word: Word) -> Confirmation:
    """Put all of a bureau's deltas into force at its word: each return concerned is followed by one with the changed figures.

    Raises:
        UserError: there is nothing to confirm, nothing of it can be, or no name or reason is given.
    """
    word = word.checked()
    with office.alone(f"deltas confirm {bureau}") as alone:
        return _confirmed(alone, family, bureau, word)


def _confirmed(office: Office, family: str, bureau: str, word: Word) -> Confirmation:
    proposed = propose(office, family, bureaus=[bureau])
    if not proposed:
        raise UserError(f"「{bureau}」没有待确认的差额。", f"There are no deltas of '{bureau}' to confirm.")
    by_period = {code: list(own) for code, own in groupby(proposed, key=lambda one: one.period)}
    warehouse, left = office.warehouse, []
    warehouse.refuse_locked(family, [Period.parse(code) for code in by_period])
    run = warehouse.start_run("confirm", family, Period.parse(proposed[0].period), office.clock())
    confirmed: list[Delta] = []
    for code, own in by_period.items():
        period = Period.parse(code)
        form = office.forms.choose(family, period)
        basis = _basis(office, form, period, bureau)
        why = basis if isinstance(basis, Message) else _put_into_force(office, run, form, basis, own, word)
        if why is not None:
            left.append((code, why))
        else:
            confirmed += own
    followed = follow(office, run, lambda stage, done, of: None)
    warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    if not confirmed:
        told = [f"{code}:{why.zh}" for code, why in left], [f"{code}: {why.en}" for code, why in left]
        raise UserError("没有可确认的差额。" + ";".join(told[0]), "Nothing can be confirmed. " + "; ".join(told[1]))
    return Confirmation(tuple(confirmed), tuple(left), followed)


def _basis(office: Office, form: Form, period: Period, bureau: str) -> Submission | Message:
    """The return whose figures are carried over: the only one that takes part, with nothing held in it; or why there is none."""
    if office.warehouse.lock_of(form.family, period) is not None:
        return Message(
            f"{period.year} 年已锁定,须先由两人解锁(reopen)",
            f"{period.year} is locked; two people reopen it first ('reopen')",
        )
    sent = office.warehouse.stored_batch(form, period, [bureau]).submissions
    states = {one.digest: one.state for one in office.warehouse.returns(form.family, period, bureau)}
    if len(sent) != 1 or states[sent[0].digest] is not State.ACCEPTED:
        return Message(
            "另有暂存或退回待更正的内容,请先更正后再确认",
            "something of it is held or was sent back; correct that first, then confirm",
        )
    if form.lists:
        return Message("报表含清单,请直接重报更正后的报表", "the return has lists; send a corrected one instead")
    return sent[0]


def _put_into_force(
    office: Office, run: str, form: Form, basis: Submission, own: Sequence[Delta], word: Word
) -> Message | None:
    """Store the return that is made of the deltas; or why it is not: it would be held in a block that they are of."""
    warehouse, period = office.warehouse, Period.parse(own[0].period)
    known = warehouse.returns(form.family, period, own[0].bureau)
    # It counts by coming last. A number beyond the bureau's own would put its next correction behind it.
    revision = max(one.revision for one in known)
    changed = {(one.indicator, one.column): one.proposed for one in own}
    number = len(known) + 1  # no other return of theirs has the same bytes, however often figures go to and fro
    header = {
        "revision": f"{revision}",
        "confirmation": f"{number}",
        "preparer": word.by,
        "filled_on": f"{office.clock().date()}",
    }
    data = carried_over(form, basis, changed, header)
    receipt = Receipt(
        f"{own[0].bureau}_{period}_confirmed_{number}.json",
        SOURCE,
        office.raw_store.put(data),
        len(data),
        office.clock(),
        word.by,
    )
    reader = StoredReader(office.forms_in_use, office.bureaus, office.raw_store, office.settings.read_limits)
    (arrived,) = reader.read([receipt])
    if arrived.submission is None or arrived.document is None:
        raise ProgramError(f"{receipt.name}: a return that was carried over cannot be read: {arrived.document}")
    rules = office.rules(form, period)
    verdict = verdict_of(office, rules, Batch(form, period, (arrived.submission,)), is_part=True)
    if (why := _held(verdict.judged[0], {one.block for one in own})) is not None:
        return why
    version = warehouse.enter_rules(rules, office.clock())
    told = Confirmed(basis.digest, [_told(one) for one in own], word.reason, word.by)
    warehouse.confirm(
        run, form, period, verdict.judged[0], receipt, arrived.document, told, version,
        dependents_of(office, form.family, period),
    )  # fmt: skip
    return None


def _held(judged: Judged, blocks: Collection[str]) -> Message | None:
    """Why a return would not count in these blocks; None where it would."""
    if judged.fault is not None:
        return Message(f"程序故障:{judged.fault}", f"program fault: {judged.fault}")
    if not judged.whole_return_held and judged.held_blocks.isdisjoint(blocks):
        return None
    rules = dict.fromkeys(
        one.rule
        for one in judged.failures
        if one.severity is Severity.ERROR and one.waiver is None and (one.block is None or one.block in blocks)
    )
    return Message(
        f"按差额改后仍不相符({'、'.join(rules)}),请先更正此前时期,或直接重报",
        f"with the deltas it would still be held ({', '.join(rules)}); correct the periods before it first, or send it again",
    )


def _told(one: Delta) -> Mapping[str, object]:
    """A delta as the record keeps it."""
    return {
        "indicator": one.indicator, "column": one.column, "reported": one.reported, "confirmed": one.proposed,
        "scale": one.scale,
    }  # fmt: skip


def by_bureau(found: Iterable[Delta]) -> dict[str, list[Delta]]:
    """Deltas by their bureau."""
    return {bureau: list(own) for bureau, own in groupby(found, key=lambda one: one.bureau)}
