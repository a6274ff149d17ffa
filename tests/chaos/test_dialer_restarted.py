"""A dialer that was killed is started again under its name: at once, or after it was cut off."""

from pathlib import Path

import pytest

from tests.chaos.random_runs.directed import directed, now_ms
from tests.chaos.random_runs.scenario import Fault, Kind, caller_id
from tests.chaos.random_runs.set_pieces import listeners

DIALERS = ("dial-0", "dial-1")
CHANNELS = 8
AGAIN_WITHIN_MS = 5_000
CUTS = tuple(Fault(0, Kind.CUT_OFF, name) for name in DIALERS)
"The dialers that have a proxy; the test cuts one when its calls are up."


@pytest.mark.timeout(180)
async def test_people_of_a_killed_dialer_are_called_again_within_5_s_of_its_start(tmp_path: Path) -> None:
    scenario = listeners(CHANNELS, dialers=DIALERS, channels=CHANNELS, prompt_s=12, faults=())
    async with directed(scenario, tmp_path) as run:
        await run.until(lambda: sum(len(run.system.calls_up(name)) for name in DIALERS) == CHANNELS)
        victim = max(DIALERS, key=lambda name: len(run.system.calls_up(name)))
        lost = {call.number for call in run.system.calls_up(victim)}
        run.system.nodes[victim].kill(0.5)
        evidence = await run.over()
    started = evidence.starts_ms[victim][-1]
    for number in lost:
        first, again = [call for call in evidence.far_calls if call.number == number]
        assert first.end_ms is not None
        assert first.end_ms <= again.invite_ms <= started + AGAIN_WITHIN_MS, again.invite_ms - started
    assert evidence.document.report.subscriber_notified == CHANNELS
    assert evidence.document.report.calls_total == CHANNELS + len(lost)


@pytest.mark.timeout(180)
async def test_success_that_a_cut_off_dialer_saw_counts_after_it_was_killed_and_restarted(
    tmp_path: Path,
) -> None:
    scenario = listeners(CHANNELS, dialers=DIALERS, channels=CHANNELS, prompt_s=6, faults=CUTS)
    async with directed(scenario, tmp_path) as run:
        await run.until(lambda: sum(len(run.system.calls_up(name)) for name in DIALERS) == CHANNELS)
        victim = max(DIALERS, key=lambda name: len(run.system.calls_up(name)))
        run.system.cut(victim)
        since = now_ms()
        await run.until(lambda: not run.system.calls_up(victim))
        run.system.nodes[victim].kill(0.0)
        await run.system.nodes[victim].process.wait()
        run.system.heal(victim)
        evidence = await run.over()
    unseen = [call for call in evidence.far_calls if call.caller == caller_id(victim)]
    assert unseen
    assert all(call.end_ms is not None and call.end_ms > since for call in unseen)
    report = evidence.document.report
    assert report.calls_total == report.calls_succeeded == report.subscriber_notified == CHANNELS
