"""Checking files before they are sent: what was read, what was not understood, what fails. No warehouse, nothing stored.

A file without a form's labels is read by the structure that its text and tables show; beside a form's tables the text is
read by that too, and held against them. Not here: the history of a bureau, so what looks back on an earlier period is not assessable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.archives import is_archive, members
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import FolderSource, reason
from disclosure_etl.intake.sources.names import DistinctNames, clean_name
from disclosure_etl.quality.judging import held_unjudged, judge
from disclosure_etl.settings import ReadLimits
from schemas.documents import Document, Unreadable
from schemas.errors import Message, UserError
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.layoutfile import LayoutMapping
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


@dataclass(frozen=True)
class Checker:
    """What files are checked by. `bureaus` is the office's tree; None where no office is configured, and then no bureau is
    recognised or missed."""

    forms: Forms
    rules: RuleSettings = field(default_factory=RuleSettings)
    bureaus: Bureaus | None = None
    limits: ReadLimits = field(default_factory=ReadLimits)
    layouts: tuple[LayoutMapping, ...] = ()

    def check(self, path: Path) -> list[Checked]:
        """Check one file; of an archive, every file in it.

        Raises:
            UserError: the file cannot be read.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            why = reason(error)
            raise UserError(
                f"读不到文件 {path}:{why.zh}。请核对路径。", f"Cannot read {path}: it {why.en}. Check the path."
            ) from None
        return self.check_data(path.name, data)

    def check_data(self, name: str, data: bytes) -> list[Checked]:
        """Check the bytes of a file; of an archive, every file in it."""
        if not is_archive(data):
            return [self.check_bytes(clean_name(name), data)]
        names, found = DistinctNames(), []
        try:
            for one in members(data, self.limits):
                inside = names.give(f"{name}/{one.name}")
                found.append(
                    refused(inside, one.data, one.problem) if one.problem else self.check_bytes(inside, one.data)
                )
        except Unreadable as problem:
            return [refused(clean_name(name), data, problem)]
        return found

    def check_bytes(self, name: str, data: bytes) -> Checked:
        """Check the bytes of one file, whatever they are."""
        digest = digest_of(data)
        document: Document | None = None
        try:
            document = read_document(name, data, self.limits)
            found = Interpreter(self.forms.forms, self.bureaus, self.layouts).interpret(document)
        except Unreadable as problem:
            if document is not None and (shown := _structure_alone(document)).verdicts:
                return Checked(name, digest, _status_of_structure(shown), structure=shown)
            return refused(name, data, problem)
        one = found.submission
        if self.bureaus is None:  # whoever has no office's configuration is told of no unknown bureau or period
            unknown = {"identity:bureau"} | ({"identity:period"} if not one.period else set())
            one = replace(one, findings=tuple(finding for finding in one.findings if finding.code not in unknown))
        form = next(form for form in self.forms.forms if form.key == one.form)
        period = Period.parse(one.period) if one.period else _any_period(form)
        fits = form.covers(period)
        judged = held_unjudged(one)
        if fits:
            (judged,) = judge(Batch(form, period, (one,)), rule_set(form, period, self.rules)).judged
        beside = _structure_beside(document, form, one) if document.text.strip() else None
        return Checked(
            name, digest, _status(judged, form), form, judged, found.labels,
            structure=beside if beside is not None and beside.structure.found else None,
        )  # fmt: skip


def refused(name: str, data: bytes, problem: Unreadable) -> Checked:
    """A file of which nothing can be read."""
    message = Message(problem.zh, str(problem))
    return Checked(name, digest_of(data), Status.UNREADABLE, refusal_code=problem.code, refusal=message)


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
