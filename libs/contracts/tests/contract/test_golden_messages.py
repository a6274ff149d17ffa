"""What is on the wire and in the log stays readable: golden files are added, never edited."""

import importlib.util
import json
import pkgutil
import sys
from pathlib import Path

import pytest

import cato_contracts
from cato_contracts.envelope import Message, decode, message_types, upcaster
from cato_contracts.errors import UndecodableError

_SPEC = importlib.util.spec_from_file_location("contract_samples", Path(__file__).with_name("samples.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
samples = importlib.util.module_from_spec(_SPEC)
sys.modules["contract_samples"] = samples
_SPEC.loader.exec_module(samples)

for module in pkgutil.walk_packages(cato_contracts.__path__, "cato_contracts."):
    importlib.import_module(module.name)

OURS = {name: kind for name, kind in message_types().items() if kind.__module__.startswith("cato_contracts")}


def test_every_message_has_a_sample():
    assert {type(sample).__name__ for sample in samples.SAMPLES} == set(OURS)


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: type(sample).__name__)
def test_a_message_is_written_as_in_its_golden_file(sample):
    golden = json.loads(samples.golden_file(type(sample), type(sample).version).read_text())
    assert json.loads(samples.envelope(sample).encode()) == golden


@pytest.mark.parametrize("file", sorted(samples.GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_every_golden_file_can_still_be_read(file):
    envelope = decode(file.read_bytes())
    assert envelope.type == file.name.split(".")[0]
    assert envelope.version == type(envelope.body).version


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"type":"Unknown","version":1,"body":{}}',
        b'{"type":"RunPaused","version":99,"event_id":"e","correlation_id":"c","occurred_at":"2024-05-16T11:08:31Z","body":{}}',
        b'{"type":"RunPaused","version":1,"event_id":"e","correlation_id":"c","occurred_at":"2024-05-16T11:08:31Z","body":{}}',
        b'{"type":"RunPaused","version":1,"event_id":"e","correlation_id":"c","occurred_at":"2024-05-16T11:08:31","body":{"run_id":"02cd00d1-0f12-494f-91ab-da1691e555ca"}}',
    ],
)
def test_invalid_bytes_are_undecodable(raw):
    with pytest.raises(UndecodableError):
        decode(raw)


def test_an_old_version_is_upcast_to_the_current_one():
    class Renamed(Message):
        version = 2
        new_name: str

    @upcaster("Renamed", 1)
    def rename(body):
        return {"new_name": body["old_name"]}

    raw = {
        "type": "Renamed",
        "version": 1,
        "event_id": "e",
        "correlation_id": "c",
        "occurred_at": "2024-05-16T11:08:31Z",
        "body": {"old_name": "x"},
    }
    assert decode(raw).body == Renamed(new_name="x")
    assert decode(raw).version == 2
