"""Checking one file before it is sent: what was read, what was not understood, what fails. No warehouse, nothing stored.

A file without a form's labels is read by the structure that its text and tables show; beside a form's tables the text is
read by that too, and held against them. Not here: the history of a bureau, so what looks back on an earlier period is not assessable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import FolderSource, reason
from disclosure_etl.intake.sources.names import clean_name
from disclosure_etl.quality.judging import held_unjudged, judge
from disclosure_etl.settings import ReadLimits
from schemas.documents import Document, Unreadable
from schemas.errors import Message, UserError
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Batch, Failure, Judged, Severity, Status, Submission
from schemas.rules import RuleSettings, rule_set

if TYPE_CHECKING:
    from disclosure_etl.quality.structure import StructureJudged


@dataclass(frozen=True)
class Checked:
    """One file's result. `judged`, `form` and `labels` (as written, per cell) are None where no form was recognised in it;
    `structure` is what its text, and without a form its tables, show by themselves; None where there is no such thing."""

    file: str
    digest: str
    status: Status
    form: Form | None = None
    judged: Judged | None = None
    labels: Sequence[str] | None = None
    refusal_code: str | None = None
    refusal: Message | None = None
    structure: StructureJudged | None = None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every failure, of the form's rules and of the structure."""
        return (*(self.judged.failures if self.judged else ()), *(self.structure.failures if self.structure else ()))


def check_file(path: Path, forms: Forms, rules: RuleSettings, bureaus: Bureaus | None, limits: ReadLimits) -> Checked:
    """Check one file.

    Args:
        bureaus: the office's tree; None where no office is configured, and then no bureau is recognised or missed.

    Raises:
        UserError: the file cannot be read.
    """
    name = clean_name(path.name)  # as it may be shown: a sender's name is no command to the clerk's terminal
    try:
        data = path.read_bytes()
    except OSError as error:
        why, shown_path = reason(error), path.parent / name
        raise UserError(
            f"读不到文件 {shown_path}:{why.zh}。请核对路径。", f"Cannot read {shown_path}: it {why.en}. Check the path."
        ) from None
    digest = digest_of(data)
    document: Document | None = None
    try:
        document = read_document(name, data, limits)
        found = Interpreter(forms.forms, bureaus).interpret(document)
    except Unreadable as problem:
        if document is not None and (shown := _structure_alone(document)).verdicts:
            return Checked(name, digest, _status_of_structure(shown), structure=shown)
        message = Message(problem.zh, str(problem))
        return Checked(name, digest, Status.UNREADABLE, refusal_code=problem.code, refusal=message)
    one = found.submission
    if bureaus is None:  # whoever has no office's configuration is told of no unknown bureau or period
        unknown = {"identity:bureau"} | ({"identity:period"} if not one.period else set())
        one = replace(one, findings=tuple(finding for finding in one.findings if finding.code not in unknown))
    form = next(form for form in forms.forms if form.key == one.form)
    period = Period.parse(one.period) if one.period else _any_period(form)
    fits = form.covers(period)
    judged = held_unjudged(one)
    if fits:
        (judged,) = judge(Batch(form, period, (one,)), rule_set(form, period, rules)).judged
    beside = _structure_beside(document, form, one) if document.text.strip() else None
    return Checked(
        name, digest, _status(judged, form), form, judged, found.labels,
        structure=beside if beside is not None and beside.structure.found else None,
    )  # fmt: skip


# What reads words is imported when there are words: a clerk's workbook, as nearly every file is one, need not wait for it.


def _structure_alone(document: Document) -> StructureJudged:
    from disclosure_etl.intake.structure import read_structure
    from disclosure_etl.quality.structure import judge_structure

    return judge_structure(read_structure(document))


def _structure_beside(document: Document, form: Form, one: Submission) -> StructureJudged:
    """The text of a return, against its tables."""
    from disclosure_etl.intake.structure import read_structure
    from disclosure_etl.intake.text_beside_form import beside_form
    from disclosure_etl.quality.structure import judge_structure

    said = read_structure(document, [grid.name for grid in document.grids])
    return judge_structure(beside_form(said, form, one), one.bureau, one.period)


def files_in(path: Path) -> list[Path]:
    """The files that a path stands for: those in a folder, as an inbox would have them, or itself.

    Raises:
        UserError: a folder that cannot be listed, or without files.
    """
    if not path.is_dir():
        return [path]
    files = [one for one in FolderSource(path, UTC).files() if one.is_file()]
    if not files:
        raise UserError(f"目录 {path} 中没有可检查的文件。", f"The folder {path} has no file to check.")
    return files


def _any_period(form: Form) -> Period:
    """A period to judge a return by that names none: not a year's first, where cumulatives must equal the month."""
    first = Period.parse(form.valid.first)
    return first.shifted(1) if first.opens_year else first


def _status_of_structure(shown: StructureJudged) -> Status:
    """A text has no blocks to hold in part."""
    return Status.HELD if any(one.severity is Severity.ERROR for one in shown.failures) else Status.ACCEPTED


def _status(judged: Judged, form: Form) -> Status:
    if judged.fault:
        return Status.FAILED
    if judged.whole_return_held or len(judged.held_blocks) == len(form.blocks):
        return Status.HELD
    return Status.PARTLY_HELD if judged.held_blocks else Status.ACCEPTED
