"""Ending tasks."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

log = structlog.get_logger()

_AGAIN_S = 0.2


async def end_tasks(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and return when they have ended.

    They are cancelled more than once if need be: until Python 3.12 a cancellation that comes together with
    what an `asyncio.wait_for` is waiting for gets lost, and the broker's client is full of these.
    """
    pending = {task for task in tasks if task is not None and not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=_AGAIN_S)
        _tell_failures(ended)


def _tell_failures(ended: Iterable[asyncio.Task[Any]]) -> None:
    for task in ended:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task failed while it was ended", task=task.get_name(), error=repr(error))
