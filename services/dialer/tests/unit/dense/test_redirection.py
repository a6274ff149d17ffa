"""Redirections: followed within the station, a bounded number of times, never in a circle."""

import pytest

from services.dialer.tests.support.trunk.endpoint_rig import SDP, Rig


def contact(rig: Rig, user: str, parameters: str = "") -> str:
    return f"Contact: <sip:{user}@127.0.0.1:{rig.station.port}>{parameters}"


async def test_a_redirection_within_the_station_is_followed(rig: Rig):
    rig.call.start()
    first = await rig.station.next("INVITE")
    rig.station.respond(
        first, "302 Moved Temporarily", contact(rig, "low", ";q=0.2"), contact(rig, "2", ";q=0.7")
    )
    ack = await rig.station.next("ACK")
    second = await rig.station.next("INVITE")
    assert (ack.sequence, second.sequence) == (1, 2)
    assert second.uri == f"sip:2@127.0.0.1:{rig.station.port}"
    assert (second.call_id, second.header("To"), second.from_tag) == (
        first.call_id,
        first.header("To"),
        first.from_tag,
    )
    rig.station.respond(second, "200 OK", "Content-Type: application/sdp", body=SDP)
    assert (await rig.station.next("ACK")).sequence == 2
    await rig.told.until("answered")
    assert rig.told.names == ["answered"]


@pytest.mark.parametrize(
    "target",
    [
        "sip:2@127.0.0.1:9",
        "sip:2@127.0.0.2",
        "sip:2@evil.example",
        "sips:2@127.0.0.1",
        "tel:+1234",
        "sip:2@127.0.0.1?Route=%3Csip:evil.example%3E",
        "sip:2@127.0.0.1@evil.example",
        "sip:2@127.0.0.1.evil.example",
    ],
)
async def test_a_redirection_to_another_place_is_the_result_of_the_call(rig: Rig, target: str):
    rig.call.start()
    invite = await rig.station.next("INVITE")
    rig.station.respond(invite, "302 Moved", f"Contact: <{target}>")
    await rig.told.until("rejected")
    assert rig.told.words[-1] == ("rejected", 302, "Moved")
    assert rig.endpoint.open_dialogs == 0


async def test_a_circle_of_redirections_ends(rig: Rig):
    rig.call.start()
    users = []
    for user in ("a", "b", "a"):
        invite = await rig.station.next("INVITE")
        users.append(invite.uri.partition("@")[0])
        rig.station.respond(invite, "302 Moved", contact(rig, user))
    await rig.told.until("rejected")
    assert users == ["sip:1", "sip:a", "sip:b"]


async def test_many_redirections_end(rig: Rig):
    rig.call.start()
    for count in range(6):
        invite = await rig.station.next("INVITE")
        rig.station.respond(invite, "302 Moved", contact(rig, f"next{count}"))
    await rig.told.until("rejected")
    assert rig.told.words[-1] == ("rejected", 302, "Moved")
