"""Layouts of a bureau's own: told in a few lines of YAML, read as a return like any other; what is wrong in such a file is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.lexicon import HEADER_FIELDS
from schemas.documents import Document, Grid, Unreadable
from schemas.errors import ConfigError
from schemas.formfile import Forms
from schemas.layoutfile import LayoutMapping, load_layouts
from schemas.periods import Period
from tests.factories import default_form, make_office, send, send_month

FORM = default_form()
ROWS = [
    ["西城公开工作台账", None, None],
    ["办理处室", "东城分局", "2014-05"],
    ["事项", "当月数", "去年"],
    ["来件", 20, 99],
    ["办结", 19, 99],
]
WORDS = {
    "form": "bureau-monthly",
    "recognise": ["西城公开", "台账"],
    "words": {"applications.received": ["来件"], "replies": ["办结"]},
    "columns": {"month": ["当月数"]},
    "fields": {"bureau": ["办理处室"]},
    "cells": {"period": "C2"},
}


def layouts(folder: Path, *told: dict) -> tuple[LayoutMapping, ...]:
    """Layout files as the product reads them."""
    paths = []
    for number, one in enumerate(told):
        paths.append(folder / f"{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(one, allow_unicode=True), "utf-8")
    return load_layouts(paths, Forms((FORM,)), HEADER_FIELDS)


def read(
    rows: list[list], *mappings: LayoutMapping, sheet: str = "台账"
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Figures by `indicator/column`, the header, and what was not understood."""
    grid = Grid(sheet, [list(row) for row in rows])
    found = Interpreter([FORM], None, mappings).interpret(Document("a.xlsx", "d", "xlsx", (grid,))).submission
    figures = {
        f"{cell.indicator}/{cell.column}": found.texts[cell.position]
        for cell in FORM.cells
        if found.texts[cell.position] and cell.measure != "share"
    }
    return figures, dict(found.header), [one.locator for one in found.unread]


def test_words_columns_fields_and_cells_are_read_as_told(tmp_path: Path) -> None:
    figures, header, unread = read(ROWS, *layouts(tmp_path, WORDS))
    assert figures == {"applications.received/month": "20", "replies/month": "19"}
    assert header == {"bureau": "东城分局", "period": "2014-05"}
    assert unread == ["台账!C4", "台账!C5"], "what the layout does not tell is listed, and not dropped"


def test_without_its_layout_such_a_file_is_no_return() -> None:
    with pytest.raises(Unreadable, match="config/layouts"):
        read(ROWS)


def test_a_layout_is_not_applied_where_one_of_its_texts_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read(ROWS, *layouts(tmp_path, {**WORDS, "recognise": ["西城公开", "海淀"]}))


def test_of_two_layouts_the_one_that_asks_for_more_is_taken(tmp_path: Path) -> None:
    swapped = {**WORDS, "recognise": ["台账"], "words": {"applications.received": ["办结"], "replies": ["来件"]}}
    figures, *_ = read(ROWS, *layouts(tmp_path, swapped, WORDS))
    assert figures["applications.received/month"] == "20"


def test_a_word_of_the_layout_means_what_it_says_there_and_nothing_else(tmp_path: Path) -> None:
    """受理申请 is applications received in the form; this bureau writes it for what it replied."""
    told = {**WORDS, "words": {"replies": ["受理申请"], "applications.received": ["来件"]}}
    rows = [*ROWS[:3], ["来件", 20], ["受理申请", 19]]
    figures, *_ = read(rows, *layouts(tmp_path, told))
    assert figures == {"applications.received/month": "20", "replies/month": "19"}


def test_cells_alone_are_enough(tmp_path: Path) -> None:
    told = {
        "form": "bureau-monthly/2008", "recognise": ["台账"],
        "cells": {"applications.received/month": "B4", "replies/month": "台账!B5", "bureau": "B2", "period": "C2"},
    }  # fmt: skip
    figures, header, _ = read(
        [["西城台账"], [None, "东城分局", "2014-05"], [], ["甲", 20], ["乙", 19]], *layouts(tmp_path, told)
    )
    assert figures == {"applications.received/month": "20", "replies/month": "19"}
    assert header == {"bureau": "东城分局", "period": "2014-05"}
    with pytest.raises(Unreadable):
        read(ROWS, *layouts(tmp_path, {**told, "cells": {"replies/month": "别的!B5"}}))


def test_what_runs_across_is_turned_and_places_keep_their_names(tmp_path: Path) -> None:
    told = {**WORDS, "transposed": True, "cells": {"period": "C1"}}
    across = [list(column) for column in zip(*ROWS[2:], strict=True)]
    rows = [["西城公开台账", None, "2014-05", None], *across]
    figures, header, unread = read(rows, *layouts(tmp_path, told))
    assert figures == {"applications.received/month": "20", "replies/month": "19"}
    assert header["period"] == "2014-05"
    assert unread == ["台账!B4", "台账!C4"]


def test_the_readmes_example_is_a_layout(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    example = re.search(r"```yaml\n(form:.*?)```", readme, re.DOTALL)[1]
    figures, header, _ = read(ROWS, *layouts(tmp_path, yaml.safe_load(example)))
    assert figures == {"applications.received/month": "20", "replies/month": "19"}
    assert header == {"bureau": "东城分局", "period": "2014-05"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"form": "bureau-monthl"}, "Did you mean 'bureau-monthly'"),
        ({"words": {"application.received": ["来件"]}}, "There is no indicator 'application.received'"),
        ({"columns": {"months": ["当月"]}}, "There is no column 'months'"),
        ({"fields": {"bureaux": ["处室"]}}, "There is no field of the header 'bureaux'"),
        ({"cells": {"replies/months": "B5"}}, "There is no figure 'replies/months'"),
        ({"cells": {"replies/month": "5B"}}, "'5B' is no cell's address"),
        ({"recognise": []}, "recognise"),
        ({"word": {}}, "There is no key 'word'"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path: Path, changed: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=r"0\.yaml:\d+: ") as caught:
        layouts(tmp_path, {**WORDS, **changed})
    assert told in caught.value.message.en


def test_a_layout_that_tells_nothing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tells nothing"):
        layouts(tmp_path, {"form": "bureau-monthly", "recognise": ["台账"]})


def test_a_file_refused_before_is_read_once_its_layout_is_described(say, tmp_path: Path) -> None:
    import shutil

    from disclosure_etl.settings import default_config_dir

    send_month(make_office(tmp_path), Period.parse("2014-01"), without=("dongcheng",))
    config = tmp_path / "config"
    config.mkdir()
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        shutil.copyfile(default_config_dir() / name, config / name)
    rows = ["西城公开工作台账,,", "办理处室,东城分局,2014-01", "事项,当月数,", "来件,20,", "办结,20,"]
    send(make_office(tmp_path), "dongcheng_2014-01.csv", "\n".join(rows).encode("gbk"))
    now = ("--now", "2014-02-06")
    assert say(*now, "consolidate", "2014-01", "--json").json["unreadable"] == 1

    (config / "layouts").mkdir()
    (config / "layouts" / "xicheng.yaml").write_text(yaml.safe_dump(WORDS, allow_unicode=True), "utf-8")
    done = say(*now, "consolidate", "2014-01", "--json").json

    assert (done["unreadable"], "dongcheng" in done["missing"]) == (0, False)
    (config / "layouts" / "xicheng.yaml").write_text("form: bureau-monthly\nrecognise: [a]\nwords: {x: [y]}\n", "utf-8")
    wrong = say("config", "check")
    assert (wrong.code, "xicheng.yaml:3" in wrong.err) == (2, True)
