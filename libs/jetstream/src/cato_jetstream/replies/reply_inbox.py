"""One subscription for the replies to all requests of its owner.

The client's `request` makes a random inbox, a timer and a wrapper task for each request, which is more than
the request itself costs. Here a reply subject is a counter, and all time-outs are equal, so one timer is
enough.
"""

import asyncio
import itertools
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg

from cato_jetstream.errors import TimedOut

OnReply = Callable[[Msg, "asyncio.Future[None]"], None]


class ReplyInbox:
    """Sends requests; each waits until its `on_reply` has completed it, at most `timeout_s` seconds."""

    def __init__(self, client: Client, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._prefix = client.new_inbox()
        self._numbers = itertools.count()
        self._waiting: dict[str, tuple[float, asyncio.Future[None], OnReply]] = {}
        self._subscribing = asyncio.Lock()
        self._subscribed = False
        self._timer: asyncio.TimerHandle | None = None

    async def request(
        self, subject: str, data: bytes, on_reply: OnReply, headers: dict[str, str] | None = None
    ) -> None:
        """Send a request. `on_reply` gets every reply and the future that it sets after the last one.

        Raises:
            TimedOut: the last reply has not come in time.
            the exceptions of the client, which the caller translates.

        """
        if not self._subscribed:
            await self._subscribe()
        loop = asyncio.get_running_loop()
        reply, over = f"{self._prefix}.{next(self._numbers)}", loop.create_future()
        # The oldest comes first, so the sweep needs to look at the first entries only.
        self._waiting[reply] = loop.time() + self._timeout_s, over, on_reply
        if self._timer is None:
            self._timer = loop.call_later(self._timeout_s, self._sweep)
        try:
            await self._client.publish(subject, data, reply=reply, headers=headers)
            await over
        finally:
            del self._waiting[reply]

    async def _subscribe(self) -> None:
        async with self._subscribing:
            if not self._subscribed:
                await self._client.subscribe(f"{self._prefix}.*", cb=self._on_message)
                self._subscribed = True

    async def _on_message(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject)
        if waiting is None or waiting[1].done():
            return  # it comes too late
        _, over, on_reply = waiting
        try:
            on_reply(message, over)
        except Exception as error:  # noqa: BLE001 - raised where the request was made
            over.set_exception(error)

    def _sweep(self) -> None:
        """End the requests whose time is over, and come back for the next one."""
        loop = asyncio.get_running_loop()
        now, self._timer = loop.time(), None
        for deadline, over, _ in self._waiting.values():
            if deadline > now:
                self._timer = loop.call_at(deadline, self._sweep)
                return
            if not over.done():
                over.set_exception(TimedOut(f"no answer in {self._timeout_s:g} s"))
