from cato_reporting.ports import LogMessage
from cato_reporting.projections.parsed_messages import Readings
from tests.support.synthetic_runs import synthetic_run


def messages(first=1):
    return [
        LogMessage(sent.subject, position, sent.data)
        for position, sent in enumerate(synthetic_run(3).messages, start=first)
    ]


def test_the_second_gets_what_the_first_has_read():
    readings = Readings()
    there = messages()
    first = [readings.read(message) for message in there]
    assert all(readings.again(message) is one for message, one in zip(there, first, strict=True))


def test_a_second_that_is_far_behind_finds_what_it_wants_next():
    readings = Readings(kept=10)
    there = messages()
    first = [readings.read(message) for message in there]
    second = [readings.again(message) for message in there]
    assert second == first
    assert [one is two for one, two in zip(first, second, strict=True)].count(True) == 10
    assert readings.again(there[0]) == first[0]


def test_a_second_that_begins_anew_gets_the_same():
    readings = Readings()
    there = messages()
    first = [readings.read(message) for message in there]
    assert [readings.again(message) for message in there[20:]] == first[20:]
    assert [readings.again(message) for message in there] == first
    assert [readings.read(message) for message in there] == first
