"""Messages of the log judged one by one."""

import json

import pytest

from cato_reporting.domain.parsed_message import parse_message
from tests.support.synthetic_runs import synthetic_run

RUN = synthetic_run(1, subscribers=4, waves=2)
CALL = next(sent for sent in RUN.messages if ".call." in sent.subject)
RESULT = next(sent for sent in RUN.messages if ".result." in sent.subject)
LIFE = RUN.messages[0]


def changed(sent, **body):
    fields = json.loads(sent.data)
    fields["body"] |= body
    return json.dumps(fields).encode()


@pytest.mark.parametrize("sent", RUN.messages, ids=lambda sent: sent.message_id)
def test_a_valid_message_is_parsed_without_a_fault(sent):
    parsed = parse_message(sent.subject, sent.data)
    assert parsed.fault is None
    assert parsed.run_id == RUN.run_id
    assert parsed.events == sent.events


@pytest.mark.parametrize(
    ("subject", "data"),
    [
        (CALL.subject, b""),
        (CALL.subject, b"\xff\xfe"),
        (CALL.subject, b"[]"),
        (CALL.subject, RESULT.data),
        (RESULT.subject, CALL.data),
        (CALL.subject.rsplit(".", 1)[0] + ".77", CALL.data),
        (CALL.subject.replace(str(RUN.run_id), str(RUN.snapshot.task_id)), CALL.data),
        (CALL.subject.replace(str(RUN.run_id), "nobody"), CALL.data),
        (CALL.subject.replace(str(RUN.run_id), str(RUN.run_id).upper()), CALL.data),
        ("run.1.2.3.4", CALL.data),
        (CALL.subject, changed(CALL, seq=70_000)),
        (CALL.subject, changed(CALL, seq=-1)),
        (CALL.subject, changed(CALL, wave=0)),
        (CALL.subject, changed(CALL, wave=256)),
        (CALL.subject, changed(CALL, kind="exploded")),
        (CALL.subject, changed(CALL, number="\ud800")),
        (CALL.subject, changed(CALL, surprise=1)),
        (CALL.subject, CALL.data.replace(b"2026-03-02T", b"1026-03-02T")),
        (CALL.subject, CALL.data.replace(b'"version":2', b'"version":99')),
        (LIFE.subject, b"{}"),
        (LIFE.subject, b'{"messages": {}}'),
        (LIFE.subject, b'{"messages": [1]}'),
        (LIFE.subject, CALL.data),
    ],
)
def test_an_invalid_message_has_no_events_and_a_fault(subject, data):
    parsed = parse_message(subject, data)
    assert parsed.events == ()
    assert parsed.fault


def test_the_valid_envelopes_of_a_partly_invalid_commit_are_parsed():
    commit = json.loads(LIFE.data)
    commit["messages"].append({"type": "RunEnded"})
    parsed = parse_message(LIFE.subject, json.dumps(commit).encode())
    assert parsed.events == LIFE.events
    assert parsed.fault


def test_envelopes_of_other_message_types_are_skipped():
    commit = json.loads(LIFE.data)
    commit["messages"].append(json.loads(RESULT.data))
    parsed = parse_message(LIFE.subject, json.dumps(commit).encode())
    assert (parsed.events, parsed.fault) == (LIFE.events, None)
