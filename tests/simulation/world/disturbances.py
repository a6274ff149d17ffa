"""The disturbances of a history, at their times: lost heartbeats, workers, leases, jobs and connections."""

import asyncio
from typing import Any


def arrange_disturbances(world: Any) -> None:
    """Let the disturbances of the world's history happen, counted from now."""
    history = world.history
    later = asyncio.get_running_loop().call_later
    for seconds in history.lost_heartbeats:
        later(seconds, _lose_heartbeats, world)
    for seconds, for_s in history.lost_workers:
        later(seconds, _lose_workers, world, for_s)
    for seconds, for_s in history.partitions:
        later(seconds, _cut_off, world, for_s)
    for seconds, offset_s in history.clock_jumps:
        later(seconds, _move_clock, world, offset_s)
    for seconds in history.lost_leases:
        later(seconds, world.leases.held.clear)
    for seconds in history.lost_jobs:
        later(seconds, _lose_a_job, world)


def _lose_heartbeats(world: Any) -> None:
    """Redeliver the jobs of a replica that still works on them."""
    if world.dials:
        world.chance.choice(world.dials).source.lose_heartbeats(world.chance.choice((0.0, 5.0)))


def _lose_workers(world: Any, seconds: float) -> None:
    """End the SIP workers of one dialer."""
    if world.dials:
        world.chance.choice(world.dials).lose_workers(seconds)


def _cut_off(world: Any, seconds: float) -> None:
    """Cut one dialer off from the broker."""
    if world.dials:
        world.chance.choice(world.dials).cut_off(seconds)


def _move_clock(world: Any, offset_s: float) -> None:
    """Set the clock of one dialer."""
    if world.dials:
        world.chance.choice(world.dials).clock.offset_s = offset_s


def _lose_a_job(world: Any) -> None:
    """Delete a job that was not delivered yet."""
    waiting = sorted(key for key, queued in world.queue.jobs.items() if queued.deliveries == 0)
    if waiting:
        del world.queue.jobs[world.chance.choice(waiting)]
