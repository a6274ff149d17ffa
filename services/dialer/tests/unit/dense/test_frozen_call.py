"""Case T22 on the dense engine: no INVITE leaves after the process stood still."""

from datetime import UTC, datetime, timedelta

from cato_runtime.process.freeze_watch import FreezeWatch
from services.dialer.tests.support.trunk.endpoint_rig import Rig


class WallClock:
    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def jump(self) -> None:
        self._ahead += timedelta(seconds=25)


def clock_of(rig: Rig) -> WallClock:
    clock = WallClock()
    rig.endpoint.freezes = FreezeWatch(clock, 5)
    rig.endpoint.freezes.count()
    return clock


async def test_t22_an_invite_is_not_repeated_after_a_freeze_and_a_late_response_is_cancelled(rig: Rig):
    clock = clock_of(rig)
    rig.call.start()
    invite = await rig.station.next("INVITE")
    clock.jump()
    await rig.told.until("stale")  # at the time of the first retransmission
    rig.station.respond(invite, "180 Ringing")
    cancel = await rig.station.next("CANCEL")
    assert cancel.branch == invite.branch
    assert rig.station.received.empty()
    assert rig.told.names == ["stale"]


async def test_t22_a_call_answered_during_a_freeze_is_ended(rig: Rig):
    clock = clock_of(rig)
    rig.call.start()
    invite = await rig.station.next("INVITE")
    clock.jump()
    await rig.told.until("stale")
    rig.station.respond(invite, "200 OK")
    await rig.station.next("ACK")
    await rig.station.next("BYE")
    assert rig.told.names == ["stale"]


async def test_t22_a_challenge_is_not_answered_after_a_freeze(rig: Rig):
    clock = clock_of(rig)
    rig.call.start()
    invite = await rig.station.next("INVITE")
    clock.jump()
    rig.station.respond(invite, "422 Session Interval Too Small", "Min-SE: 2000")
    await rig.station.next("ACK")
    await rig.told.until("stale")
    assert rig.station.received.empty()


async def test_t22_a_rejection_counts_after_a_freeze_too(rig: Rig):
    clock = clock_of(rig)
    rig.call.start()
    invite = await rig.station.next("INVITE")
    clock.jump()
    rig.station.respond(invite, "486 Busy Here")
    await rig.told.until("rejected")
    assert rig.told.names == ["rejected"]
