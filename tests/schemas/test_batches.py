"""A frame that our own code made wrongly is our fault: it is never told as failing data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from schemas.batches import validate, wide_frame
from schemas.errors import ProgramError
from schemas.records import Batch
from tests.factories import default_form, some_figures
from tests.quality.written import MAY, history_of, rules_of, written

FORM = default_form()
FIGURES = {cell: int(one) for cell, one in some_figures(FORM).items()}
NAME = FORM.cells[0].name


@pytest.mark.parametrize(
    "wrong",
    [
        lambda frame: frame.drop(columns=NAME),
        lambda frame: frame.astype({NAME: np.float64}),
        lambda frame: frame.rename(columns={NAME: "another"}),
    ],
)
def test_a_frame_without_its_columns_or_types_is_a_fault_of_the_program(
    wrong: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    batch, history, rules = Batch(FORM, MAY, (written(FORM, FIGURES),)), history_of(FORM, None), rules_of(FORM)
    frame = wide_frame(batch, history, rules)
    validate(frame.copy(), batch, history, rules)

    with pytest.raises(ProgramError, match=FORM.key):
        validate(wrong(frame), batch, history, rules)
