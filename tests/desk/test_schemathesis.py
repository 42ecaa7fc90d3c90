"""The submission API as its own description says it is: made-up requests of a fixed seed find no fault, and every answer conforms."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from disclosure_etl.desk.pace import Pace
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office

PATH = "/api/v1/submissions"
EXAMPLES = {"POST": 30, "GET": 15}
MOST = 20_000
LENIENT = [negative_data_rejection]  # unknown parts of a query are passed over, and the token is there in every request


@pytest.fixture
def token(app: FastAPI, office: Office) -> str:
    """A token, for which neither pace nor a process of its own for each made-up file matters; files have few bytes."""
    app.state.desk.pace = Pace(1_000_000)
    limits = office.settings.file.limits.model_copy(update={"max_bytes": MOST})
    file = office.settings.file.model_copy(update={"limits": limits, "processes": 0})
    object.__setattr__(office.settings, "file", file)
    return issue(office, "海淀平台", "haidian", None)[0]


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_whatever_is_asked_is_answered_as_described(
    app: FastAPI, token: str, mode: schemathesis.GenerationMode
) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    number, tried = itertools.count(), Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        called = operation.method.upper(), operation.path

        @seed(2014)
        @settings(
            max_examples=EXAMPLES[called[0]], deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def each(case: schemathesis.Case) -> None:
            if "Idempotency-Key" in case.headers:  # one that was used for other bytes is rightly refused
                case.headers["Idempotency-Key"] = f"k{next(number)}"
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=LENIENT)
            tried[called] += 1  # noqa: B023 - of this round

        each()
    assert set(tried) == {("POST", PATH), ("GET", PATH), ("GET", f"{PATH}/{{key}}")}
