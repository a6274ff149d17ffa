"""The AsyncAPI document matches the messages on the broker."""

import json

import jsonschema_rs
import pytest

from cato_contracts.asyncapi import asyncapi_document
from cato_contracts.envelope import message_types
from cato_contracts.messages.runs import LifeEvent
from cato_contracts.requests import Request
from libs.contracts.tests.contract.samples import GOLDEN

DOCUMENT = asyncapi_document()


def validator(message):
    payload = DOCUMENT["components"]["messages"][message]["payload"]
    schema = {**payload, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_resolves():
    for reference in references(DOCUMENT):
        node = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_every_message_has_a_channel_and_every_request_an_answer():
    known = {
        name: model
        for name, model in message_types().items()
        if model.__module__.startswith("cato_contracts")
    }
    carried = {message for channel in DOCUMENT["channels"].values() for message in channel["messages"]}
    answers = {f"{name}Answer" for name, model in known.items() if issubclass(model, Request)}
    assert carried == {*known, *answers}
    assert all(DOCUMENT["operations"][name]["reply"] for name in known if f"{name}Answer" in answers)


def is_current(file):
    """The document describes the current versions; older ones are still read but no longer sent."""
    message, version = file.name.split(".")[:2]
    return version == f"v{message_types()[message].version}"


CURRENT = [file for file in sorted(GOLDEN.glob("*.json")) if is_current(file)]


def test_every_message_has_a_golden_file_of_its_current_version():
    known = {name for name, model in message_types().items() if model.__module__.startswith("cato_contracts")}
    assert {file.name.partition(".")[0] for file in CURRENT} == known


@pytest.mark.parametrize("file", CURRENT, ids=lambda file: file.stem)
def test_the_golden_messages_match_their_schemas(file):
    message = file.name.partition(".")[0]
    golden = json.loads(file.read_text())
    is_life = message_types()[message] in LifeEvent.__args__
    wrapped = {"messages": [golden]} if is_life else golden
    validator(message).validate(wrapped)
    broken = {**golden, "body": {**golden["body"], "colour": "red"}}
    assert not validator(message).is_valid({"messages": [broken]} if is_life else broken)


def test_an_answer_has_a_value_or_an_error():
    answer = validator("StartTaskAnswer")
    value = {"task_exec_id": None, "result": "FAIL_NO_CHANNELS"}
    assert answer.is_valid({"ok": True, "value": value, "error": None})
    assert not answer.is_valid({"ok": True, "value": {"result": "MAYBE"}, "error": None})
    error = {"code": "not_found", "message": "there is no task", "resource_id": None}
    assert answer.is_valid({"ok": False, "value": None, "error": error})
