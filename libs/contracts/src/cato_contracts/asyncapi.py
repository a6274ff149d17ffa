"""Generates the AsyncAPI 3.0 document of all messages: `python -m cato_contracts.asyncapi`."""

import json
import sys
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

import cato_contracts
from cato_contracts.envelope import Answer, Envelope, Message, message_types
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.jobs import DialJob
from cato_contracts.messages.runs import LifeEvent, SubscriberResult
from cato_contracts.requests import Request

_REFERENCE = "#/components/schemas/{model}"
_DESCRIPTION = """Commands, queries and events between the services of CATO.

Commands and queries are NATS requests on `cmd.<service>.<Name>` and `qry.<service>.<Name>`; the replicas of a
service form a queue group. An answer has `ok` and either a value or an error. A command that is repeated with
the same `event_id` is carried out once. Events are messages in the JetStream stream `RUNS`, jobs are messages
in the work queue `DIAL`. JSON names are in snake_case."""

_PARAMETERS = {
    "run_id": "The run, a UUID.",
    "no": "The index of the subscriber in the list of the run, from 0.",
    "wave": "The wave, from 1.",
}

_CHANNELS: dict[str, tuple[str, str, tuple[type[Message], ...]]] = {
    "run_life": (
        "run.{run_id}.life",
        "The life of a run. Each message is a commit; its `messages` are the events.",
        LifeEvent.__args__,
    ),
    "run_result": (
        "run.{run_id}.result.{no}",
        "The result of a subscriber, one per wave. Published before the job is acknowledged.",
        (SubscriberResult,),
    ),
    "run_call": (
        "run.{run_id}.call.{no}",
        "The events of the calls to a subscriber. Each is published only if the previous one is the last.",
        (CallEvent,),
    ),
    "run_opt_out": (
        "run.{run_id}.opt-out.{no}",
        "Of these events, the one with which a person asks not to be called again (kind `opted-out`).",
        (CallEvent,),
    ),
    "dial_job": (
        "dial.{run_id}.{wave}.{no}",
        "A job for the dial role: one per subscriber and wave, removed when it is acknowledged.",
        (DialJob,),
    ),
    "audit_changes": (
        "audit.changes",
        "The changes that users have made through the API, in the stream `AUDIT`.",
        (ChangeMade,),
    ),
}


def asyncapi_document() -> dict[str, Any]:
    """Return the document, which is derived from the contracts alone."""
    for module in walk_packages(cato_contracts.__path__, "cato_contracts."):
        import_module(module.name)  # registers its messages
    schemas = _schemas()
    messages: dict[str, Any] = {name: _message(model) for name, model in sorted(message_types().items())}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    replies: dict[str, Any] = {}
    for name, model in sorted(message_types().items()):
        if not issubclass(model, Request):
            continue
        subject = model.subject()
        channels[name] = {"address": subject, "messages": {name: _to("messages", name)}}
        messages[f"{name}Answer"] = _answer(model, schemas)
        replies[f"{name}Answer"] = _to("messages", f"{name}Answer")
        operations[name] = {
            "action": "receive",
            "title": name,
            "summary": f"Answered by the {model.service} service.",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
            "bindings": {"nats": {"queue": model.service}},
            "reply": {
                "channel": {"$ref": "#/channels/answers"},
                "messages": [{"$ref": f"#/channels/answers/messages/{name}Answer"}],
            },
        }
    channels["answers"] = {
        "address": None,
        "description": "The reply subject of the request.",
        "messages": replies,
    }
    for name, (address, description, events) in _CHANNELS.items():
        parameters = {
            key: {"description": text} for key, text in _PARAMETERS.items() if f"{{{key}}}" in address
        }
        channels[name] = {
            "address": address,
            "description": description,
            "parameters": parameters,
            "messages": {event.__name__: _to("messages", event.__name__) for event in events},
        }
        operations[name] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{event.__name__}"} for event in events],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "CATO: messages between services", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "broker": {"host": "127.0.0.1:4222", "protocol": "nats", "description": "NATS with JetStream."}
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [Answer, *(model for _, model in sorted(message_types().items()))]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], by_alias=False, ref_template=_REFERENCE
    )
    schemas: dict[str, Any] = definitions["$defs"]
    envelope = Envelope[Message].model_json_schema(by_alias=False)
    envelope.pop("$defs")
    del envelope["properties"]["body"]
    schemas["Envelope"] = {
        **envelope,
        "title": "Envelope",
        "description": (Envelope.__doc__ or "").strip(),
        "required": [name for name in envelope["required"] if name != "body"],
    }
    del schemas["Envelope"]["additionalProperties"]  # the body is added below
    return schemas


def _message(model: type[Message]) -> dict[str, Any]:
    name = model.__name__
    body = {
        "type": "object",
        "required": ["body"],
        "properties": {
            "type": {"const": name},
            "version": {"const": model.version},
            "body": {"$ref": _REFERENCE.format(model=name)},
        },
    }
    payload: dict[str, Any] = {"allOf": [{"$ref": _REFERENCE.format(model="Envelope")}, body]}
    if model in LifeEvent.__args__:
        listed = {"type": "array", "contains": payload}
        payload = {"type": "object", "required": ["messages"], "properties": {"messages": listed}}
    described = {"name": name, "title": name, "payload": payload}
    if model.__doc__ and model.__doc__ != Message.__doc__:
        described["description"] = " ".join(model.__doc__.split())
    return described


def _answer(request: type[Request[Any]], schemas: dict[str, Any]) -> dict[str, Any]:
    adapter: TypeAdapter[Any] = request.answer_type()
    value = adapter.json_schema(by_alias=False, ref_template=_REFERENCE)
    schemas.update(value.pop("$defs", {}))
    good = {"properties": {"ok": {"const": True}, "value": value}}
    bad = {"properties": {"ok": {"const": False}, "error": {"$ref": _REFERENCE.format(model="ErrorInfo")}}}
    return {
        "name": f"{request.__name__}Answer",
        "title": f"The answer to {request.__name__}",
        "payload": {"allOf": [{"$ref": _REFERENCE.format(model="Answer")}, {"oneOf": [good, bad]}]},
    }


def _to(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n")
