"""The board: what runs, what is wrong, what to do; and the list of all executions."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from cato_client import operations
from cato_client.models import TaskExec
from cato_client.retries import Patience
from cato_console.http.visits import Visit
from cato_console.live.board_source import RECENT, BoardSource, BoardState
from cato_console.live.event_stream import Stream, event_stream
from cato_console.live.parts import Part
from cato_console.views import board as view

LIVE_PATIENCE = Patience(total_s=2.0, longest_s=1.0)
"""A feed says soon that the API is away, and tries again by itself."""
_PAGE = 50

Text = Callable[..., str]
"""Renders a template of this visit."""


async def show(visit: Visit) -> Response:
    state = await read_board(visit)
    return visit.page("board.html", **context(visit, state))


async def live(visit: Visit) -> Response:
    """Keep the board up to date."""
    token = visit.token
    source = BoardSource(visit.deps.clients.make(token, LIVE_PATIENCE))
    stream = Stream(("board", token), source, lambda state: board_parts(visit, state), visit.still_signed_in)
    return event_stream(visit.deps.feeds, stream)


async def list_runs(visit: Visit) -> Response:
    """List all executions, the newest first."""
    cursor = visit.query("cursor") or None
    found = await visit.api.do(operations.list_task_execs(limit=_PAGE, cursor=cursor))
    return visit.page("runs.html", runs=found.items, next_cursor=found.next_cursor, first=cursor is None)


async def read_board(visit: Visit) -> BoardState:
    api = visit.api
    active = await api.do(operations.list_task_execs(active=True, limit=100))
    recent = await api.do(operations.list_task_execs(active=False, limit=RECENT))
    stations = await api.do(operations.list_stations())
    return BoardState(tuple(active.items), tuple(recent.items), tuple(stations.items), None)


def context(visit: Visit, state: BoardState) -> dict[str, Any]:
    return {
        "state": state,
        "alarms": view.alarms(visit.language, state.runs, state.stations),
        "figures": view.figures(state.runs, state.stations, state.calls_per_s),
    }


def board_parts(visit: Visit, state: BoardState) -> Sequence[Part]:
    """Return the parts of the board, those that contain others first."""
    shared = {"visit": visit, **context(visit, state)}

    def text(template: str, **more: object) -> str:
        return visit.deps.renderer.text(template, visit.language, {**shared, **more})

    parts = [
        Part("board-alarms", repr(shared["alarms"]), lambda: text("parts/alarms.html")),
        Part("board-figures", repr(shared["figures"]), lambda: text("parts/figures.html")),
        Part("board-runs", tuple(run.id for run in state.runs), lambda: text("parts/runs.html")),
    ]
    for run in state.runs:
        parts += _run_parts(run, text)
    parts += [
        Part("board-stations", state.stations and repr(state.stations), lambda: text("parts/stations.html")),
        Part("board-recent", repr(state.recent), lambda: text("parts/recent.html")),
    ]
    return parts


def _run_parts(run: TaskExec, text: Text) -> list[Part]:
    report = run.report
    numbers = report.model_copy(update={"eta": report.eta and report.eta.replace(second=0, microsecond=0)})
    return [
        Part(
            f"run-{run.id}-numbers",
            repr(numbers),
            lambda: text("parts/run_numbers.html", run=run),
            within="board-runs",
        ),
        Part(
            f"run-{run.id}-actions",
            report.state,
            lambda: text("parts/run_actions.html", run=run),
            within="board-runs",
        ),
    ]
