from cato_reporting.ports import LogMessage
from cato_reporting.projections.parsed_messages import ParsedMessages
from tests.support.synthetic_runs import synthetic_run


def messages(first=1):
    return [
        LogMessage(sent.subject, position, sent.data)
        for position, sent in enumerate(synthetic_run(3).messages, start=first)
    ]


def test_the_projector_gets_what_the_live_projection_has_parsed():
    parsed_messages = ParsedMessages()
    there = messages()
    first = [parsed_messages.parse(message) for message in there]
    assert all(parsed_messages.take(message) is one for message, one in zip(there, first, strict=True))


def test_a_projector_that_is_far_behind_finds_the_messages_that_it_needs_next():
    parsed_messages = ParsedMessages(kept=10)
    there = messages()
    first = [parsed_messages.parse(message) for message in there]
    second = [parsed_messages.take(message) for message in there]
    assert second == first
    assert [one is two for one, two in zip(first, second, strict=True)].count(True) == 10
    assert parsed_messages.take(there[0]) == first[0]


def test_a_projector_that_starts_again_gets_the_same_messages():
    parsed_messages = ParsedMessages()
    there = messages()
    first = [parsed_messages.parse(message) for message in there]
    assert [parsed_messages.take(message) for message in there[20:]] == first[20:]
    assert [parsed_messages.take(message) for message in there] == first
    assert [parsed_messages.parse(message) for message in there] == first
