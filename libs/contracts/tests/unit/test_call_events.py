"""Call events of version 1, which carried the words of the status document instead of fields."""

import json
from pathlib import Path
from uuid import UUID

from cato_contracts.api.resources import Contact
from cato_contracts.envelope import decode
from cato_contracts.messages.calls import CallEvent

GOLDEN = Path(__file__).parent.parent / "contract" / "golden"
ID = UUID("02cd00d1-0f12-494f-91ab-da1691e555ca")


def stored(name: str) -> CallEvent:
    body = decode((GOLDEN / f"CallEvent.v1{name}.json").read_bytes()).body
    assert isinstance(body, CallEvent)
    return body


def test_the_contact_of_a_version_1_start_becomes_a_field():
    assert stored(".started").contact == Contact(
        full_name="Иван Петров", phones=["776413", "+79001234567"], emails=["ivan@example.org"], id=ID
    )


def test_the_digit_of_version_1_becomes_a_field():
    assert stored(".digit").digit == "1"


def test_a_version_1_rejection_keeps_its_code_and_reason_phrase():
    rejected = stored("")
    assert (rejected.sip_code, rejected.reason_phrase, rejected.digit) == (486, "Busy Here", None)


def test_a_version_1_response_without_a_code_field_takes_the_code_from_its_data():
    message = json.loads((GOLDEN / "CallEvent.v1.json").read_text())
    message["body"]["sip_code"] = None
    body = decode(message).body
    assert isinstance(body, CallEvent)
    assert body.sip_code == 486


def test_the_station_of_version_1_stays_a_field():
    assert stored(".station-chosen").station_id == ID
