"""Requests that a station or a stranger sends: none starts a call, and none ends one."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cato_dialer.dial.domain.call.line_events import LinePlaybackStarted, ReleaseCause
from services.dialer.tests.integration.trunk.conftest import Bench
from services.dialer.tests.integration.trunk.raw.test_raw_messages import answer, caller_of
from services.dialer.tests.support.trunk.raw_station import RawCall, Received, raw_station
from services.dialer.tests.support.trunk.trunk_kit import follow

pytestmark = pytest.mark.timeout(60)

ELSEWHERE = "<sip:elsewhere@127.0.0.1:9>"


def within(method: str, *extra: str) -> Callable[[RawCall], Awaitable[Received]]:
    return lambda call: call.request(method, extra=extra)


def from_outside(method: str, *extra: str) -> Callable[[RawCall], Awaitable[Received]]:
    return lambda call: call.outside(method, *extra)


async def replacing(call: RawCall) -> Received:
    dialog, tag = call.invite.header("Call-ID"), call.invite.header("From").partition(";tag=")[2]
    return await call.outside("INVITE", f"Replaces: {dialog};to-tag={tag};from-tag=raw", "Require: replaces")


REQUESTS: dict[str, tuple[Callable[[RawCall], Awaitable[Received]], set[int]]] = {
    "t2 REFER in the call": (within("REFER", f"Refer-To: {ELSEWHERE}"), {603, 405}),
    "t2 REFER from outside": (from_outside("REFER", f"Refer-To: {ELSEWHERE}"), {603, 405}),
    "t3 INVITE with Replaces": (replacing, {403, 405, 420}),
    "t3 INVITE": (from_outside("INVITE"), {403, 405}),
    "t14 INFO without a body": (within("INFO"), {200}),
    "t14 OPTIONS in the call": (within("OPTIONS"), {200}),
    "t14 NOTIFY in the call": (within("NOTIFY", "Event: refer"), {481, 489, 405}),
    "MESSAGE in the call": (within("MESSAGE"), {405}),
    "SUBSCRIBE in the call": (within("SUBSCRIBE", "Event: presence"), {489}),
    "OPTIONS from outside": (from_outside("OPTIONS"), {200}),
    "MESSAGE from outside": (from_outside("MESSAGE"), {405}),
    "BYE from outside": (from_outside("BYE"), {481}),
    "unknown method": (from_outside("DANCE"), {501, 405}),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_that_is_not_obeyed_changes_nothing(bench: Bench, name: str):
    send, codes = REQUESTS[name]
    seen: list[int] = []

    async def talk(call: RawCall) -> None:
        await answer(call)
        seen.append((await send(call)).code)
        # A call placed on behalf of the request would come here, too.
        await asyncio.sleep(0.3)
        assert not [message for message in call.received if message.method == "BYE"]
        await call.request("BYE")

    async with raw_station(talk) as station:
        caller = await caller_of(bench, station)
        heard = await follow(caller.call("1"))
        assert len(station.invites) == 1
    assert set(seen) <= codes
    assert len(seen) == 1
    assert heard.all(LinePlaybackStarted)
    assert heard.end.cause is ReleaseCause.REMOTE_HANGUP
