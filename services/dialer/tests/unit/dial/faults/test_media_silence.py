"""A media process is replaced when it is silent, not when the dialer stood still and has not read it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from cato_dialer.dial.adapters.dense.media import protocol
from cato_dialer.dial.adapters.dense.media_process import MediaProcess
from tests.support.virtual_time import VirtualLoop, run_virtually

READY = protocol.Ready((4000,), "sockets")
FINISHED = protocol.Finished(1, 1_000, 2_000)


def listening(story: Callable[[asyncio.StreamReader], Awaitable[None]]) -> list[protocol.FromMedia]:
    """Read the reports that the story feeds, and return those of calls."""
    heard: list[protocol.FromMedia] = []

    async def main() -> None:
        process = MediaProcess(
            protocol.Configure(1, "127.0.0.1", 0, 0),
            on_report=lambda _process, report: heard.append(report),
            on_ready=lambda: None,
            on_death=lambda _process: None,
        )
        reports = asyncio.StreamReader()
        reports.feed_data(protocol.encode(READY))
        listener = asyncio.create_task(process._listen(reports))
        await asyncio.sleep(1)
        await story(reports)
        await listener

    run_virtually(main())
    return heard


def test_reports_of_the_time_in_which_the_dialer_stood_still_are_read() -> None:
    async def story(reports: asyncio.StreamReader) -> None:
        loop = cast("VirtualLoop", asyncio.get_running_loop())
        loop.freeze(25)
        loop.call_later(0.1, reports.feed_data, protocol.encode(FINISHED))
        loop.call_later(0.2, reports.feed_eof)

    assert listening(story) == [FINISHED]


def test_process_that_is_silent_is_given_up() -> None:
    async def story(_reports: asyncio.StreamReader) -> None:
        await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        listening(story)
