"""What is followed at the API: nothing waits for a slow answer, and rates are those of what is seen."""

import asyncio

import pytest

from cato_client import ApiError, AsyncClient, UnauthorizedError, UnreachableError
from cato_client.models import Station, TaskExec
from cato_console.live.beside import Answered, beside
from cato_console.live.board_source import Board
from cato_console.live.charts import Charts
from services.console.tests.fake_api import RUN, FakeApi, execution, station


async def test_a_stream_does_not_wait_for_the_answer_beside_it():
    never = asyncio.Event()

    async def stream():
        for number in range(3):
            yield number

    found = [item async for item in beside(stream(), never.wait, 1.0)]
    assert found == [0, 1, 2]


async def test_answers_come_while_the_stream_is_silent():
    silence = asyncio.Event()
    asked = []

    async def stream():
        await silence.wait()
        yield "over"

    async def ask():
        asked.append(len(asked))
        return asked[-1]

    found = []
    async for item in beside(stream(), ask, 0.001):
        found.append(item)
        if len(asked) == 3:
            silence.set()
    assert found[:2] == [Answered(0), Answered(1)]
    assert found[-1] == "over"


@pytest.mark.parametrize("error", [UnreachableError("no answer"), ApiError(503, "try again")])
async def test_a_question_that_cannot_be_answered_now_is_asked_again(error):
    silence = asyncio.Event()
    outcomes = [error, error]

    async def stream():
        await silence.wait()
        yield "over"

    async def ask():
        if outcomes:
            raise outcomes.pop()
        silence.set()
        return "known"

    found = [item async for item in beside(stream(), ask, 0.001)]
    assert found[:2] == [Answered(None), Answered(None)]
    assert found[-1] == "over"


def test_stations_are_not_known_while_nobody_answers():
    board = Board()
    board.synced()
    looked(board, 0.0)
    board.looked(2.0, None)
    assert [each.state for each in board.state().stations] == ["UNKNOWN"]


async def test_an_error_of_the_answer_ends_the_stream():
    async def stream():
        await asyncio.Event().wait()
        yield None

    async def ask():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        async for _ in beside(stream(), ask, 1.0):
            pass


def run(**changes):
    return TaskExec.model_validate(execution(**changes))


def looked(board, at):
    board.looked(at, [Station.model_validate(station())])
    return board.state().calls_per_s


def test_calls_before_the_board_was_opened_are_no_rate():
    board = Board()
    board.changed(run(callsTotal=1000))
    assert board.state() is None
    board.synced()
    assert looked(board, 0.0) is None
    assert looked(board, 2.0) == 0
    board.changed(run(callsTotal=1010))
    assert looked(board, 4.0) == 2.5


def test_the_rate_goes_on_when_an_execution_ends():
    board = Board()
    board.changed(run(callsTotal=100))
    board.synced()
    looked(board, 0.0)
    board.changed(run(callsTotal=130, activePhase=False, state="FINISHED"))
    board.changed(run(callsTotal=130, activePhase=False, state="FINISHED"))
    assert looked(board, 10.0) == 3
    assert board.state().runs == ()


class Statistics:
    """The API, the charts, and a clock."""

    def __init__(self):
        self.api = FakeApi()
        self.now = 0.0
        self.charts = Charts(clock=lambda: self.now)

    def asked(self):
        return sum(path == "/statistics" for path in self.api.sent("GET")) // 3

    async def look(self, token="all", *, over=False):
        async with AsyncClient("http://api.test", token, transport=self.api.transport()) as client:
            return await self.charts.of(client, RUN, over=over)


async def test_charts_are_asked_for_once_for_all_who_look():
    statistics = Statistics()
    found = await asyncio.gather(*(statistics.look() for _ in range(5)), statistics.look("reader"))
    assert statistics.asked() == 1
    assert len({id(charts) for charts in found}) == 1
    statistics.now += 2.9
    await statistics.look()
    assert statistics.asked() == 1
    statistics.now += 0.2
    await statistics.look()
    assert statistics.asked() == 2


async def test_charts_of_the_end_are_asked_for_once_more():
    statistics = Statistics()
    await statistics.look()
    for _ in range(3):
        await statistics.look(over=True)
        statistics.now += 10
    assert statistics.asked() == 2


async def test_a_token_that_is_refused_is_no_reason_for_others():
    statistics = Statistics()
    withdrawn, other = await asyncio.gather(
        statistics.look("withdrawn"), statistics.look(), return_exceptions=True
    )
    assert isinstance(withdrawn, UnauthorizedError)
    assert other.waves
