"""The words of the manual for call events, as the status document shows them."""

from uuid import UUID

import pytest

from cato_contracts.api.resources import Contact
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.calls import CallEventKind as K
from cato_reporting.domain.wording import event_data, event_name, event_status

ID = UUID("02cd00d1-0f12-494f-91ab-da1691e555ca")
CONTACT = Contact(full_name="Иван Петров", phones=["776413"], emails=["ivan@example.org"], id=ID)
SHOWN_CONTACT = {
    "fullName": "Иван Петров",
    "phones": ["776413"],
    "emails": ["ivan@example.org"],
    "id": str(ID),
}

WORDS = [
    (K.STARTED, {"contact": CONTACT, "station_id": None}, "CallStarted", "STARTED", SHOWN_CONTACT),
    (K.STATION_CHOSEN, {}, "CS defined", "CS_DEFINED", str(ID)),
    (K.TRYING, {"sip_code": 100}, "Trying", "TRYING", "SIP_CODE:100"),
    (K.RINGING, {"sip_code": 180}, "Ringing", "RINGING", "SIP_CODE:180"),
    (K.SESSION_PROGRESS, {"sip_code": 183}, "Session Progress", "RINGING", "SIP_CODE:183"),
    (K.ANSWERED, {"sip_code": 200}, "OK", "TALKING", "SIP_CODE:200"),
    (K.PLAYBACK_STARTED, {}, "AUDIO_DATA_STARTED", "TALKING", None),
    (K.DIGIT, {"digit": "1"}, "DTMF", "TALKING", "DIGIT:1"),
    (K.CONFIRMED, {}, "CONFIRMED", "NEED_TO_ABORT", None),
    (K.OPTED_OUT, {}, "OPTED_OUT", "NEED_TO_ABORT", None),
    (K.REPEATED, {}, "REPEATED", "TALKING", None),
    (K.PLAYBACK_FINISHED, {}, "AUDIO_DATA_FINISHED", "NEED_TO_ABORT", None),
    (K.ANSWER_TIMEOUT, {}, "ANSWER_TIMEOUT", "NEED_TO_ABORT", None),
    (K.DURATION_EXCEEDED, {}, "CALL_DURATION_EXCEEDED", "NEED_TO_ABORT", None),
    (K.REJECTED, {"sip_code": 486, "reason_phrase": "Busy Here"}, "Busy Here", "FAILED", "SIP_CODE:486"),
    (K.REJECTED, {"sip_code": 486}, "SIP 486", "FAILED", "SIP_CODE:486"),
    (K.REMOTE_HANGUP, {}, "REMOTE_HANGUP", "FINISHED", None),
    (K.ENDED, {"sip_code": 200, "reason": "confirmed"}, "CallEnded", "FINISHED", None),
    (K.INTERRUPTED, {"sip_code": 200}, "INTERRUPTED", "FAILED", None),
]


@pytest.mark.parametrize(("kind", "fields", "name", "status", "data"), WORDS)
def test_every_kind_of_event_has_the_words_of_the_manual(kind, fields, name, status, data):
    event = CallEvent(
        run_id=ID,
        no=7,
        wave=1,
        call_id=ID,
        seq=3,
        number="776413",
        **{"phone_index": 0, "station_id": ID, "kind": kind} | fields,
    )
    assert (event_name(event), event_status(event), event_data(event)) == (name, status, data)


def test_every_kind_of_event_is_in_the_table_of_words():
    assert {kind for kind, *_ in WORDS} == set(K)
