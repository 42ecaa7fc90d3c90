"""What a run leaves in Prefect for a person to read: the account, a bureau × rule matrix, the totals. Markdown only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from disclosure_etl.reports.tasks import Task
from disclosure_etl.warehouse import StoredFailure
from schemas.consolidation import Consolidation
from schemas.forms import Form
from schemas.records import Status
from schemas.values import figure_text

_MOST_ROWS = 60  # beyond this a page is no longer read; the whole list stands in the 汇总表


def run_markdown(form: Form, one: Consolidation, failures: Sequence[StoredFailure]) -> str:
    """The artifact of one consolidation."""
    lines = [
        f"# {form.title.zh} {one.period} · {one.status.value} v{one.version}",
        "",
        "、".join(f"{status.value} {one.counts[status]}" for status in Status if one.counts[status])
        or "nothing received",
        f"coverage {one.coverage:.1%} · failures {one.failures} · not assessable {one.not_assessable}",
    ]
    if one.missing:
        lines.append(f"missing: {', '.join(one.missing)}")
    if one.late:
        lines.append(f"late: {', '.join(one.late)}")
    return "\n".join([*lines, "", *_matrix(one, failures), "", *_totals(form, one)])


def tasks_markdown(tasks: Sequence[Task]) -> str:
    """Who has what to do after a rerun."""
    if not tasks:
        return ""
    lines = [f"- {one.name.zh}:{one.text.zh}  \n  {one.name.en}: {one.text.en}" for one in tasks]
    return "\n".join(["## To do", "", *lines])


def _matrix(one: Consolidation, failures: Sequence[StoredFailure]) -> list[str]:
    counts = Counter((failure.bureau or "?", failure.failure.rule) for failure in failures)
    if not counts:
        return ["No failures."]
    rules = [rule for rule, _ in Counter(rule for _, rule in counts.elements()).most_common(12)]
    bureaus = list(dict.fromkeys(bureau for bureau, _ in counts))[:_MOST_ROWS]
    rows = [
        "| " + " | ".join([bureau, *(str(counts[(bureau, rule)] or "") for rule in rules)]) + " |" for bureau in bureaus
    ]
    head = "| bureau | " + " | ".join(f"`{rule}`" for rule in rules) + " |"
    return ["## Failures by bureau and rule", "", head, "|---" * (len(rules) + 1) + "|", *rows]


def _totals(form: Form, one: Consolidation) -> list[str]:
    values = {(figure.indicator, figure.column): figure for figure in one.figures}
    columns = list(form.columns)
    lines = [
        "## Totals",
        "",
        "| indicator | " + " | ".join(form.columns[code].label.zh for code in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for item in form.indicators.values():
        cells = []
        for code in columns:
            figure = values.get((item.code, code))
            text = "" if figure is None or figure.value is None else figure_text(figure.value, figure.scale)
            cells.append(text if figure is None or figure.validated or not text else f"{text} (unvalidated)")
        lines.append(f"| {item.label.zh} | " + " | ".join(cells) + " |")
    return lines
