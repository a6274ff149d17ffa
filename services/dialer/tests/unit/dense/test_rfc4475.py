"""The messages of RFC 4475, sent by the station of a call: read, rejected or dropped as the RFC says."""

import asyncio
import socket
from typing import Any

import pytest

from cato_dialer.dial.adapters.dense.sip.messages.header_values import uri_of
from cato_dialer.dial.adapters.dense.sip.messages.message import MessageError, parse
from services.dialer.tests.support.trunk.endpoint_rig import Rig
from services.dialer.tests.unit.dense.rfc4475.messages import MESSAGES

VALID: dict[str, dict[str, Any]] = {
    "wsinv": {
        "sequence": 9,
        "to_tag": "1918181833n",
        "from_tag": "98asjd8",
        "branch": "390skdjuw",
        "content_type": "application/sdp",
    },
    "intmeth": {
        "method": "!interesting-Method0123456789_*+`.%indeed'~",
        "sequence": 139_122_385,
        "from_tag": "_token~1'+`*%!-.",
        "branch": "z9hG4bK-.!%66*_+`'~",
        "call_id": "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
    },
    "esc01": {"uri": "sip:sips%3Auser%40example.com@example.net", "from_tag": "938"},
    "escnull": {"method": "REGISTER", "from_tag": "839923423"},
    "esc02": {"method": "RE%47IST%45R", "branch": "z9hG4bK209%fzsnel234"},
    "lwsdisp": {"from_tag": "323", "to_tag": ""},
    "longreq": {"from_tag": "12" + "982" * 50 + "424", "branch": ""},
    "dblreq": {"method": "REGISTER", "body": b""},
    "semiuri": {"uri": "sip:user;par=u%40example.net@example.com"},
    "transports": {"branch": "z9hG4bKkdjuw"},
    "mpart01": {"content_type": "multipart/mixed"},
    "unreason": {"code": 200, "phrase": "= 2**3 * 5**2 но сто девяносто девять - простое", "to_tag": "2229"},
    "noreason": {"code": 100, "phrase": "", "branch": "z9hG4bK2398ndaoe"},
    "inv2543": {"branch": "", "from_tag": "", "to_tag": ""},
}

ANSWERS = {
    # An INVITE with a tag on To belongs to a dialog that does not exist.
    "wsinv": 481,
    # CATO takes no calls, registrations or messages, whatever is in them (RFC 3261, 8.2.1).
    **dict.fromkeys(("esc01", "longreq", "baddate", "invut", "sdp01", "inv2543"), 405),
    **dict.fromkeys(
        ("escnull", "dblreq", "unksm2", "regaut01", "cparam01", "cparam02", "regescrt", "mpart01"), 405
    ),
    **dict.fromkeys(("intmeth", "esc02", "mismatch02"), 501),
    **dict.fromkeys(("lwsdisp", "semiuri", "transports", "badaspec", "baddn", "badbranch", "zeromf"), 200),
    **dict.fromkeys(("badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri"), 400),
    **dict.fromkeys(("lwsstart", "trws", "escruri", "regbadct", "mismatch01"), 400),
    **dict.fromkeys(("insuf", "multi01", "mcl01"), 400),
    "badvers": 505,
    **dict.fromkeys(("unkscm", "novelsc"), 416),
    "bext01": 420,
}
DROPPED = {
    "unreason": "response without a request",
    "noreason": "response without a request",
    "bcast": "response without a request",
    "scalarlg": "malformed",
    "bigcode": "malformed",
}


def test_the_table_names_every_message_once():
    assert len(MESSAGES) == 49
    assert sorted([*ANSWERS, *DROPPED]) == sorted(MESSAGES)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_message_is_read(name: str):
    message = parse(MESSAGES[name])
    assert {key: getattr(message, key) for key in VALID[name]} == VALID[name]


def test_the_parts_of_odd_messages_are_read():
    tortuous, wide, twice = parse(MESSAGES["wsinv"]), parse(MESSAGES["intmeth"]), parse(MESSAGES["esc02"])
    assert len(tortuous.listed("Via")) == 3
    assert tortuous.header("Subject") == ""
    assert tortuous.header("NewFangledHeader") == "newfangled value continued newfangled value"
    assert uri_of(tortuous.listed("Contact")[0]) == "sip:jdrosen@example.com"
    assert (tortuous.header("To") or "").startswith("sip:vivekg@")
    assert '\\\x07 NUL:\\\x00 DEL:\\\x7f"' in (wide.header("To") or "")
    assert len(twice.listed("Contact")) == 2  # C%6Fntact is another header
    assert len(parse(MESSAGES["longreq"]).headers("Via")) == 34


@pytest.mark.parametrize("name", [name for name, code in ANSWERS.items() if code in {400, 505}])
def test_a_malformed_request_is_refused_with_its_code(name: str):
    with pytest.raises(MessageError) as refused:
        parse(MESSAGES[name])
    assert refused.value.refusal is not None
    assert refused.value.refusal.code == ANSWERS[name]


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_request_is_answered_and_the_call_goes_on(rig: Rig, name: str):
    invite = await rig.up()
    rig.station.send(MESSAGES[name])
    async with asyncio.timeout(5):
        answer = await rig.station.answers.get()
    assert int(answer.split(b" ")[1]) == ANSWERS[name]
    if name == "bext01":
        assert b"\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r\n" in answer
    await goes_on(rig, invite)


@pytest.mark.parametrize("name", DROPPED)
async def test_a_response_to_nothing_is_dropped(rig: Rig, name: str):
    invite = await rig.up()
    rig.station.send(MESSAGES[name])
    await goes_on(rig, invite)
    assert rig.endpoint.counts == {DROPPED[name]: 1}


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_strangers_message_has_no_answer(rig: Rig, name: str):
    invite = await rig.up()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.setblocking(False)
        stranger.sendto(MESSAGES[name], rig.station.source)
        await goes_on(rig, invite)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)
    assert rig.endpoint.counts.total() == 1


async def goes_on(rig: Rig, invite: Any) -> None:
    """The call is as it was, and the far end can still hang up."""
    assert rig.told.names == ["answered"]
    rig.station.request(invite, "BYE", sequence=4_000_000_000)
    await rig.told.until("remote_hangup")
    assert (await rig.station.answer_to("BYE")).code == 200
