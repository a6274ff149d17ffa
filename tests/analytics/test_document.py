"""Every statement, column and number of docs/analytics.md is checked against a database."""

import re
from datetime import UTC, datetime

import pytest

from cato_contracts.api.history import CallStatistics
from cato_contracts.api.status import CallEventView, CallView, PhoneView, Report, SubscriberStatus
from tests.analytics.documented import DOCUMENT, columns, documented_columns, statements
from tests.analytics.reference import (
    busiest,
    calls_of,
    failures,
    heard,
    hours,
    keyed,
    never_answering,
    never_reached,
    places,
    stations,
    waves,
)
from tests.support.synthetic_runs import naive_numbers

OF_ONE_RUN = {
    "1": waves,
    "2": never_reached,
    "3": places,
    "6": failures,
    "7": heard,
    "8": keyed,
    "9": busiest,
}
OF_ALL_CALLS = {"4": hours, "5": stations}


def question(number):
    return next(blocks[0] for heading, blocks in statements().items() if heading.startswith(f"{number}. "))


def answered(database, statement, **values):
    """Return the rows with times in UTC."""
    return [
        tuple(each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in row)
        for row in database.query(statement, values).result_rows
    ]


def test_document_has_ten_questions_with_statements():
    assert [heading.split(".")[0] for heading in statements() if heading[0].isdigit()] == [
        str(number) for number in range(1, 11)
    ]


@pytest.mark.parametrize("number", OF_ONE_RUN)
def test_statement_about_a_run_gives_the_result_of_its_events(number, database, runs):
    answers = [OF_ONE_RUN[number](run) for run in runs]
    assert any(len(answer) > 0 for answer in answers)
    for run, answer in zip(runs, answers, strict=True):
        assert answered(database, question(number), run=run.run_id) == answer


@pytest.mark.parametrize("number", OF_ALL_CALLS)
def test_statement_about_all_calls_gives_the_result_of_the_events(number, database, runs):
    answer = OF_ALL_CALLS[number]([call for run in runs for call in calls_of(run)])
    assert len(answer) > 0
    assert answered(database, question(number)) == answer


def test_numbers_that_never_answer_are_those_of_the_events(database, runs):
    answer = never_answering(runs)
    assert len(answer) > 0
    assert answered(database, question("10")) == answer


def test_report_by_sql_equals_the_report(database, runs):
    for run in runs:
        found = {}
        for statement in statements()["The report of a run"]:
            result = database.query(statement, {"run": run.run_id})
            found |= dict(zip(result.column_names, result.result_rows[0], strict=True))
        naive = naive_numbers(run, [event for sent in run.messages for event in sent.events])
        assert {name: naive[snake(name)] for name in found} == found
        assert len(found) == 9


def snake(name):
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)


def test_documented_columns_equal_those_of_the_database(database):
    told = documented_columns().strip()
    assert told == columns(database).strip(), "put what is expected between the marks of the document"


@pytest.mark.parametrize(
    "model", [Report, SubscriberStatus, PhoneView, CallView, CallEventView, CallStatistics]
)
def test_each_number_of_the_report_is_explained(model):
    text = DOCUMENT.read_text(encoding="utf-8").split("## The numbers")[1].split("## Ten questions")[0]
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert {name for name in names if not re.search(rf"`{name}`", text)} == set()
