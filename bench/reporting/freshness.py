"""The age of reports while events are published."""

import asyncio
import time
from collections.abc import Iterator

from nats.aio.client import Client

from bench.reporting.big_run import BigRun, Message
from bench.reporting.questions import ACTOR
from cato_contracts.api.status import GetTaskExec
from cato_contracts.errors import UnavailableError
from cato_runtime.requests import Requester

_TICK_S = 0.02


class Freshness:
    """Publishes a run at a steady rate, and compares each report with the events published by then.

    The age of a report is the time since the first call that it does not count. `late` is the delay of the
    publisher behind its rate, in seconds.
    """

    def __init__(self, client: Client, requester: Requester, run: BigRun, *, rate: int) -> None:
        self.ages: list[float] = []
        self.waits: list[float] = []
        self.refused = 0
        self.late = 0.0
        self._client = client
        self._requester = requester
        self._run = run
        self._rate = rate
        self._starts: list[float] = []
        self._over = False

    async def measure(self, *, clients: int, seconds: float) -> None:
        messages = self._run.beginning()
        first = next(messages)
        await self._client.publish(first.subject, first.data, headers=first.headers)
        await self._client.flush(timeout=10)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream(messages, seconds))
            for _ in range(clients):
                group.create_task(self._poll())

    async def _stream(self, messages: Iterator[Message], seconds: float) -> None:
        began = time.perf_counter()
        sent = 0
        while (now := time.perf_counter() - began) < seconds:
            due = int(now * self._rate)
            self.late = max(self.late, (due - sent) / self._rate - _TICK_S)
            while sent < due:
                message = next(messages)
                await self._client.publish(message.subject, message.data, headers=message.headers)
                if message.starts_call:
                    self._starts.append(time.perf_counter())
                sent += 1
            await self._client.flush(timeout=10)
            await asyncio.sleep(_TICK_S)
        self._over = True

    async def _poll(self) -> None:
        query = GetTaskExec(actor=ACTOR, id=self._run.run_id)
        while not self._over:
            asked = time.perf_counter()
            try:
                report = (await self._requester.ask(query, timeout=10)).report
            except UnavailableError:
                self.refused += 1
                continue
            now = time.perf_counter()
            self.waits.append(now - asked)
            counted = report.calls_total
            missed = self._starts[counted] if counted < len(self._starts) else now
            self.ages.append(max(0.0, now - missed))
            await asyncio.sleep(0.05)

    def share(self, values: list[float], level: float) -> float:
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(level * len(ordered)))]
