"""The table of permissions against the catalogue of subjects."""

from importlib import import_module
from pkgutil import walk_packages
from uuid import UUID

import pytest

import cato_contracts
from cato_contracts import subjects
from cato_contracts.asyncapi import asyncapi_document
from cato_contracts.envelope import message_types
from cato_contracts.requests import Request
from cato_runtime.access.nats_users import nats_users
from cato_runtime.access.permissions import PERMISSIONS, BrokerUser, inbox_prefix

RUN = UUID(int=1)
OF_SERVICE = {"dialer": {"campaign"}, "media": {"media"}, "reporting": {"reporting"}}
ASKS_TOO = {"FindTasksUsingFile": {"media"}, "GetAudioFiles": {"campaign"}}
"""Who sends a request besides the gateway, for which clients send it."""


def covers(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, given = wanted[:-1], given[: len(wanted) - 1] if len(given) >= len(wanted) else [""]
    return len(wanted) == len(given) and all(
        each in ("*", one) for each, one in zip(wanted, given, strict=True)
    )


def publishers(subject: str) -> set[str]:
    return {
        user
        for user, may in PERMISSIONS.items()
        if any(covers(each, subject) for each in may.publish)
        and not any(covers(each, subject) for each in may.never)
    }


def subscribers(subject: str) -> set[str]:
    return {
        user
        for user, may in PERMISSIONS.items()
        if any(covers(each, subject) for each in (*may.subscribe, f"{inbox_prefix(user)}.>"))
    }


def requests() -> list[type[Request]]:
    for module in walk_packages(cato_contracts.__path__, "cato_contracts."):
        import_module(module.name)
    return [model for model in message_types().values() if issubclass(model, Request)]


def test_each_request_is_received_by_its_service_alone():
    assert len(requests()) > 50
    for request in requests():
        assert subscribers(request.subject()) == OF_SERVICE[request.service], request


def test_each_request_is_sent_by_the_gateway_and_few_others():
    for request in requests():
        operator = {"operator"} if (request.verb, request.service) == ("qry", "reporting") else set()
        expected = {"gateway", *ASKS_TOO.get(request.__name__, ()), *operator}
        assert publishers(request.subject()) == expected, request


OWNERS = {
    "run_life": (subjects.run_life(RUN), {"campaign"}),
    "run_result": (subjects.run_result(RUN, 1), {"campaign", "dial"}),
    "run_call": (subjects.run_call(RUN, 1), {"dial"}),
    "run_opt_out": (subjects.run_opt_out(RUN, 1), {"dial"}),
    "dial_job": (subjects.dial_job(RUN, 1, 1), {"campaign", "operator"}),
    "audit_changes": (subjects.AUDIT_CHANGES, {"gateway", "campaign"}),
}
"""The channels of the document of messages, and who publishes there; an operator replays jobs."""
MORE_OWNERS = [
    (subjects.run_fence(RUN, 1), {"campaign", "dial"}),
    (subjects.dead_letter("dialer"), {"dial"}),
    (subjects.dead_letter("reporting"), {"reporting"}),
    (subjects.CHANNEL_PRESENCE, {"dial"}),
    (subjects.JOB_PRESENCE, {"dial"}),
    (subjects.STATION_PRESENCE, {"dial"}),
    (subjects.instance_presence("a"), {"dial"}),
    ("ev.audio-file.1", {"media"}),
    ("ev.task.1", {"campaign"}),
    ("ev.exclusion-list.1", {"campaign"}),
    ("$KV.contacts.79990000000", {"dial"}),
    ("$KV.idempotency.key", {"gateway"}),
    ("$KV.runs.1", {"campaign"}),
    ("$KV.pacing.1", {"campaign"}),
    ("$KV.contact_limits.1", {"campaign"}),
    ("$KV.sip_traces.1", {"campaign"}),
    (subjects.sip_trace(RUN, "a-1"), {"dial"}),
    ("$JS.API.STREAM.PURGE.SIP_TRACES", {"campaign"}),
    ("$KV.leases.channels.main.1", {"dial"}),
    ("$KV.leases.run.1", {"campaign"}),
    ("$O.uploads.M.1", {"gateway", "media"}),
    ("$O.prompts.M.1", {"media", "campaign"}),
    ("$O.lists.M.1", {"campaign"}),
    ("$O.archive.M.1", {"reporting"}),
    ("$JS.API.STREAM.PURGE.RUNS", {"reporting"}),
    ("$JS.API.STREAM.MSG.DELETE.EVENTS", {"campaign"}),
    ("$JS.API.STREAM.MSG.DELETE.DEAD", {"operator"}),
    ("$JS.API.CONSUMER.MSG.NEXT.DIAL.run-1", {"dial"}),
    ("$JS.API.CONSUMER.DELETE.RUNS.reporting", {"reporting"}),
    ("$JS.API.CONSUMER.MSG.NEXT.RUNS.reporting", {"reporting"}),
]


def test_every_channel_of_the_document_has_owners():
    document = asyncapi_document()["channels"]
    assert set(OWNERS) == {name for name in document if name not in message_types() and name != "answers"}


@pytest.mark.parametrize(("subject", "owners"), [*OWNERS.values(), *MORE_OWNERS])
def test_a_subject_is_published_by_its_owners_alone(subject, owners):
    assert publishers(subject) == owners


def test_every_stream_and_bucket_has_writers_and_readers():
    written = {each for may in PERMISSIONS.values() for each in may.publish}
    starts = {each.removesuffix(">") for stream in subjects.STREAMS for each in stream.subjects}
    starts |= {f"$KV.{bucket.name}." for bucket in subjects.KEY_VALUE_BUCKETS}
    starts |= {f"$O.{bucket}." for bucket in subjects.OBJECT_BUCKETS}
    assert {start for start in starts if not any(each.startswith(start) for each in written)} == set()
    for stream in STREAM_NAMES:
        assert publishers(f"$JS.API.STREAM.MSG.GET.{stream}"), stream


STREAM_NAMES = [
    *(stream.name for stream in subjects.STREAMS),
    *(f"KV_{bucket.name}" for bucket in subjects.KEY_VALUE_BUCKETS),
    *(f"OBJ_{bucket}" for bucket in subjects.OBJECT_BUCKETS),
]


@pytest.mark.parametrize("stream", STREAM_NAMES)
def test_services_create_streams_and_nobody_deletes_one(stream):
    assert publishers(f"$JS.API.STREAM.CREATE.{stream}") == set(PERMISSIONS) - {BrokerUser.OPERATOR}
    assert publishers(f"$JS.API.STREAM.DELETE.{stream}") == set()
    assert publishers(f"$JS.API.STREAM.UPDATE.{stream}") == {BrokerUser.OPERATOR}


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.STREAM.PURGE.AUDIT",
        "$JS.API.STREAM.MSG.DELETE.AUDIT",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.MSG.DELETE.RUNS",
        "$SYS.REQ.SERVER.PING",
        "_INBOX_reporting.1",
        "_INBOX.1",
        "anything",
    ],
)
def test_nobody_publishes(subject):
    assert publishers(subject) == set()


def test_answers_are_given_by_those_who_are_asked_alone():
    asked = {user: set() for user in PERMISSIONS}
    asked[BrokerUser.DIAL] = {"dial"}  # for its calls
    for request in requests():
        for user in publishers(request.subject()):
            asked[user] |= OF_SERVICE[request.service]
    for user, services in asked.items():
        assert publishers(f"{inbox_prefix(user)}.1.2") == services, user


def test_each_user_receives_its_own_answers_alone():
    for user in PERMISSIONS:
        assert subscribers(f"{inbox_prefix(user)}.1.2") == {user}
    for subject in ("_INBOX.1", "$SYS.ACCOUNT.X.CONNECT", "run.1.call.1", "ev.task.1", "$KV.contacts.1"):
        assert subscribers(subject) == set()


def test_passwords_come_from_the_environment_of_the_server():
    written = nats_users()
    for user in BrokerUser:
        assert f"    user: {user}\n    password: $NATS_PASSWORD_{user.upper()}\n" in written
