"""A run as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

from cato_contracts.api.status import TaskExec
from cato_gateway.errors import BrokenOffError
from cato_gateway.run_watches import RunWatches, is_news

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the latter is nginx's
END = "end"
"""The id of the last event: a client that sends it has seen all events."""

_RETRY_MS = 1000
_KEEP_ALIVE = b": still here\n\n"


def is_over(run: TaskExec) -> bool:
    return not run.report.active_phase


async def run_events(watches: RunWatches, run: TaskExec) -> AsyncGenerator[bytes, None]:
    """Yield the events of `run` from now on, each with the newest report when the client reads it.

    Raises:
        BrokenOffError: if the watch failed.

    """
    yield f"retry: {_RETRY_MS}\n\n".encode()
    with watches.watching(run) as watch:
        shown: TaskExec | None = None
        while not watches.closed:
            news, latest = watch.news, watch.run
            if shown is None or is_news(shown, latest):
                shown = latest
                yield _event("report", latest)
                if is_over(latest):
                    yield _event(END, latest)
                    return
                await watches.rest()
            if watch.failed:
                raise BrokenOffError("the run cannot be followed any more")
            try:
                async with asyncio.timeout(watches.keep_alive_s):
                    await news.wait()
            except TimeoutError:
                yield _KEEP_ALIVE


def _event(name: str, run: TaskExec) -> bytes:
    data = run.report.model_dump_json(by_alias=True)
    identity = END if name == END else hashlib.sha256(data.encode()).hexdigest()[:16]
    return f"id: {identity}\nevent: {name}\ndata: {data}\n\n".encode()
