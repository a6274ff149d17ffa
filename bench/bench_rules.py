"""What the rules of a call cost: the processor time of its decisions, with rules and without.

The decisions of one call are those that the dial role takes: whether it may be made, at each point where that
is checked; which number is next; and what a retry rule says at its end. The share is that of a short call in
the dense engine alone (`bench/README.md`, short calls); job, log and broker are not counted in its favour.
"""

import asyncio
import json
import sys
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.objects import Bucket, ObjectRef
from cato_dialer.dial.domain.permission.pacing import PaceTable
from cato_dialer.dial.domain.permission.retry import attempts_at, retry_decision
from cato_dialer.dial.domain.subscriber.call_gate import CallGate
from cato_dialer.dial.domain.subscriber.next_attempt import next_attempt
from cato_dialer.dial.domain.subscriber.past_call import calls_of
from cato_dialer.exclusions.changes import ListAdded
from cato_dialer.exclusions.guard import ExclusionGuard
from cato_dialer.exclusions.number_set import Entry, NumberSet
from cato_runtime.clock import SystemClock
from services.dialer.tests.support.dial_world import RUN, Kit
from services.dialer.tests.support.memory_exclusions import MemoryReadings, exclusion_reader
from tests.support.memory_log import MemoryLog
from tests.support.memory_objects import MemoryObjectStore

ROUNDS, REPEATS = 40, 200
CHECKS = 5
"""How often it is checked whether a call may be made: before it, and twice at both ends of its start slot."""
ENGINE_US = 1_230.0
"""The processor time of a short call in the dense engine: dialer and media process."""
ALLOWED = 0.05
LISTED = 100_000
LISTS = "three exclusion lists of 100,000 other numbers"
LOOK_UPS = 3
"""For the channel, and for the start of a call; one more if it waits."""
NOON = datetime(2027, 3, 2, 12, 0, tzinfo=UTC)
RESULTS = Path("build/bench/rules.json")
_NOWHERE = ObjectRef(bucket=Bucket.LISTS, name="not read", size=0)

_RULES = [
    {"outcomes": ["NO_ANSWER", "UNREACHABLE"], "after_s": 600, "max_attempts": 3},
    {"outcomes": ["INVALID_NUMBER", "REFUSED"], "drop_number": True},
    {"outcomes": ["NETWORK", "HUNG_UP_EARLY", "NOT_CONFIRMED"], "after_s": 60, "max_attempts": 2},
    {"outcomes": ["BUSY"], "after_s": 60, "max_attempts": 2},
]
_HOURS = {"time_restrictions": {"from_hour": 6, "till_hour": 23}}
_ZONES = ["Asia/Kolkata", "Europe/Berlin", "America/St_Johns"]
BASE = "calling hours, no rules"
CASES: dict[str, dict[str, Any]] = {
    BASE: _HOURS,
    "four retry rules, skipHopeless": {**_HOURS, "retry_rules": _RULES, "skip_hopeless": True},
    "hours of three zones, thirty excluded dates": {
        **_HOURS,
        "excluded_dates": [f"2027-05-{day:02}" for day in range(1, 31)],
        "local_time": {"when_unknown": "ALL_ZONES"},
    },
    "all of them": {
        **_HOURS,
        "retry_rules": _RULES,
        "skip_hopeless": True,
        "excluded_dates": [f"2027-05-{day:02}" for day in range(1, 31)],
        "local_time": {"when_unknown": "ALL_ZONES"},
    },
}


def cost_us(work: Callable[[], None], rounds: int = ROUNDS) -> float:
    """Return the processor time of the quickest round, in microseconds for each repeat."""
    return min(timeit.repeat(work, timer=time.process_time, number=REPEATS, repeat=rounds)) / REPEATS * 1e6


def decisions_us(settings: dict[str, Any]) -> float:
    """Return the processor time of the decisions of one call to a busy number, in microseconds."""
    kit = Kit()
    world = kit.world(lambda *_: kit.script(), (kit.station(),), settings=settings)
    job: DialJob = world.job(0, ["1", "2"], zones=_ZONES if "local_time" in settings else [])
    state = RunDispatchState(run_id=RUN, priority=0, mode=RunMode.CALLING)
    stations = tuple(station.id for station in world.stations)
    gate, call_id = CallGate(job), uuid4()
    events = [
        CallEvent(run_id=RUN, no=0, wave=1, call_id=call_id, seq=seq, kind=kind, number="1", phone_index=0)
        for seq, kind in enumerate((CallEventKind.STARTED, CallEventKind.TRYING, CallEventKind.RINGING))
    ]
    calls = calls_of(events)

    def decide() -> None:
        for _ in range(CHECKS):
            assert gate.refusal(state, NOON, closing=False) is None
        skip = job.settings.skip_hopeless
        next_attempt(1, 2, stations, (), None, skip_hopeless=skip)
        if job.settings.retry_rules:
            attempts = attempts_at(events, 1, 0) + 1
            assert retry_decision(job.settings, job.hours_zones, "busy", attempts, NOON) is not None
        next_attempt(1, 2, stations, calls, None, skip_hopeless=skip)

    return cost_us(decide)


def pacing_us() -> float:
    """Return the processor time of one call's look-ups among 100 pacing rules that do not concern it."""
    rules = [
        PacingRule(name=f"r{no}", prefixes=[f"+{no:03}{last}" for last in range(10)], max_calls=10)
        for no in range(100, 200)
    ]
    table, station = PaceTable(rules), uuid4()

    def look_up() -> None:
        for _ in range(LOOK_UPS):
            assert table.pace_for("+74951234567", station) is None

    return cost_us(look_up)


async def exclusions_us() -> float:
    """Return the processor time of one call's look-ups in three lists of 100,000 other numbers."""
    clock, readings = SystemClock(), MemoryReadings()
    reader = exclusion_reader(MemoryLog(), MemoryObjectStore(), clock)
    guard = ExclusionGuard(reader, readings.of("bench"), clock)
    sets = [
        NumberSet.of(Entry(number=f"+7{9_000_000_000 + no + 7 * each}") for each in range(LISTED))
        for no in range(3)
    ]
    await guard.open()
    for numbers in sets:
        reader.book.add(ListAdded(list_id=uuid4(), user_id="chief", system=True, numbers=_NOWHERE), numbers)
    job = Kit().world(lambda *_: Kit().script(), (Kit().station(),)).job(0, ["+73437200041", "+73437200042"])
    not_after = clock.now() + timedelta(seconds=1)

    def look_up() -> None:
        for _ in range(LOOK_UPS):
            assert not guard.excluded(job)
        for _ in range(2):
            assert guard.usable_until() is not None
        guard.ordered(job, 0, not_after)

    found = []
    for _ in range(ROUNDS):
        found.append(cost_us(look_up, rounds=1))
        await asyncio.sleep(0.001)  # for the guard, which renews its key
    await guard.close()
    return min(found)


def main() -> None:
    found = {name: decisions_us(settings) for name, settings in CASES.items()}
    print(f"{BASE:<48} {found[BASE]:>7.0f} us")
    for name in list(CASES)[1:]:
        added = found[name] - found[BASE]
        share = added / ENGINE_US
        print(f"{name:<48} {added:>+7.0f} us  {share:6.1%} of a call, allowed {ALLOWED:.0%}")
    found["pacing"] = pacing_us()
    share = found["pacing"] / ENGINE_US
    print(f"{'100 pacing rules for other numbers':<48} {found['pacing']:>+7.0f} us  {share:6.1%} of a call")
    found["exclusions"] = asyncio.run(exclusions_us())
    share = found["exclusions"] / ENGINE_US
    print(f"{LISTS:<48} {found['exclusions']:>+7.0f} us  {share:6.1%} of a call")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
