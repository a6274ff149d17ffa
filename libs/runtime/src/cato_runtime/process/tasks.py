"""Cancel tasks reliably."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

log = structlog.get_logger()

_AGAIN_S = 0.2


async def end_tasks(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and return when they have ended, even if that is cancelled itself meanwhile.

    They are cancelled repeatedly if necessary: before Python 3.12 a cancellation is lost if the awaitable of
    an `asyncio.wait_for` finishes at the same time, and the broker's client uses many of these.
    """
    all_tasks = {task for task in tasks if task is not None}
    cancelled: asyncio.CancelledError | None = None
    while pending := {task for task in all_tasks if not task.done()}:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=_AGAIN_S)
        except asyncio.CancelledError as error:
            cancelled = error
    _tell_failures(all_tasks)
    if cancelled is not None:
        raise cancelled


def _tell_failures(ended: Iterable[asyncio.Task[Any]]) -> None:
    for task in ended:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("cancelled task had already failed", task=task.get_name(), error=repr(error))
