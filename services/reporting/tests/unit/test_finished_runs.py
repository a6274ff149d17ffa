from uuid import UUID, uuid4

from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.domain.report import Numbers, numbers_of
from cato_reporting.queries.status.finished_runs import FinishedRuns
from tests.support.synthetic_runs import BEGIN, synthetic_run


class FakeReadModel:
    """Counts how often it counts."""

    def __init__(self):
        self.asked: list[UUID] = []

    async def numbers(self, run_ids):
        self.asked += run_ids
        return {run_id: Numbers(len(self.asked), 0, 0, 0, 0, 0, 0, 1) for run_id in run_ids}


async def test_an_ended_run_is_counted_once():
    model = FakeReadModel()
    finished = FinishedRuns(LiveRuns(), model)
    one, other = uuid4(), uuid4()
    first = await finished.numbers([one])
    assert await finished.numbers([one, other]) == first | {other: Numbers(2, 0, 0, 0, 0, 0, 0, 1)}
    assert model.asked == [one, other]


async def test_a_run_that_was_followed_to_its_end_is_not_counted():
    run = synthetic_run(7)
    runs, model = LiveRuns(), FakeReadModel()
    finished = FinishedRuns(runs, model)
    for position, sent in enumerate(run.messages, 1):
        runs.apply(position, parse_message(sent.subject, sent.data))
    followed = runs.get(run.run_id)
    numbers = numbers_of(followed)
    runs.settle(run.run_id, BEGIN)
    finished.take_over(followed)
    assert await finished.numbers([run.run_id]) == {run.run_id: numbers}
    assert model.asked == []


async def test_a_late_event_makes_the_run_count_again():
    run = synthetic_run(7)
    runs, model = LiveRuns(), FakeReadModel()
    finished = FinishedRuns(runs, model)
    runs.settle(run.run_id, BEGIN)
    await finished.numbers([run.run_id])
    runs.apply(5, parse_message(run.messages[-1].subject, run.messages[-1].data))
    await finished.numbers([run.run_id])
    await finished.numbers([run.run_id])
    assert model.asked == [run.run_id, run.run_id]


async def test_the_cache_of_numbers_is_bounded():
    model = FakeReadModel()
    finished = FinishedRuns(LiveRuns(), model, kept=2)
    ids = [uuid4() for _ in range(3)]
    for run_id in (*ids, ids[0], ids[2]):
        await finished.numbers([run_id])
    assert model.asked == [*ids, ids[0]]
