"""The start of a call is on its way to the log while its subscriber is decided, or the run ends."""

import asyncio
from typing import Any

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_contracts.messages.campaign_commands import StopRun
from cato_contracts.messages.runs import RunEnding
from tests.simulation.test_takeovers import ANSWERS, run_history
from tests.simulation.world.history import Control, History
from tests.simulation.world.surroundings import LogJournal
from tests.simulation.world.world import World

STARTED = b'"kind":"started"'
LATE_S = 8.0
"""The run is over by then, and the world still there."""


def delay_the_start(world: World) -> None:
    """Let every start of a call take long to arrive, and no other message."""
    for process in world.dials:
        journal = process.journal
        append = journal._append

        async def slowly(
            subject: str, within: str, data: bytes, message_id: str, after: int, append: Any = append
        ) -> int:
            if STARTED in data:
                await asyncio.sleep(LATE_S)
            head: int = await append(subject, within, data, message_id, after)
            return head

        journal._append = slowly  # type: ignore[method-assign]


def lose_the_job(world: World) -> None:
    """Deliver the job to the other replica: this one cannot be heard."""
    (queued,) = world.queue.jobs.values()
    holder: Any = queued.holder
    holder.lose_heartbeats(2 * LATE_S)


EXPIRES = History(phones=(1,), behaviours=(ANSWERS,), dial_replicas=2, expires_in_s=1.0)
IS_STOPPED = History(phones=(1,), behaviours=(ANSWERS,), dial_replicas=2, controls=(Control(1.0, StopRun),))


@pytest.mark.parametrize(
    ("history", "ending", "results"),
    [(EXPIRES, RunEnding.EXPIRED, 1), (IS_STOPPED, RunEnding.STOPPED, 0)],
)
@pytest.mark.parametrize("redelivered_at", [0.5, 1.5, None])
def test_start_of_a_call_that_arrives_after_the_decision_is_not_in_the_log(
    history: History, ending: RunEnding, results: int, redelivered_at: float | None
) -> None:
    redelivered = () if redelivered_at is None else ((redelivered_at, lose_the_job),)
    world = run_history(history, (0.0, delay_the_start), *redelivered)
    assert world.judge.rules.ending is ending
    assert len(world.judge.rules.results) == results
    assert world.judge.kinds[CallEventKind.STARTED] == 0
    assert not world.exchange.placed


@pytest.mark.parametrize("history", [EXPIRES, IS_STOPPED])
def test_mutation_is_detected_by_which_starts_follow_the_last_call_and_not_the_last_result(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LogJournal._append

    async def after_the_last_call(
        self: LogJournal, subject: str, within: str, data: bytes, message_id: str, after: int
    ) -> int:
        if STARTED in data:
            call, head = await self._log.last(subject), await self._log.last(within)
            if (call.sequence if call else 0) <= after:
                after = head.sequence if head else 0
        return await append(self, subject, within, data, message_id, after)

    monkeypatch.setattr(LogJournal, "_append", after_the_last_call)
    with pytest.raises(AssertionError, match="no call after"):
        run_history(history, (0.0, delay_the_start))
