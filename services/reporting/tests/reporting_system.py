"""Reporting in the test's own process, on a real broker and the real ClickHouse engine."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from cato_contracts.api.exports import (
    BeginCallExport,
    BeginSubscriberExport,
    EndCallExport,
    ExportDialect,
    ListRunSubscribers,
    TakeExportPiece,
)
from cato_contracts.api.history import CallFilter, GetCall, GetStatistics, ListCalls
from cato_contracts.api.resources import Page
from cato_contracts.api.status import (
    GetStatusText,
    GetTaskExec,
    ListTaskExecs,
    SubscriberFilter,
    SubscriberStatus,
)
from cato_contracts.requests import Actor
from cato_contracts.subjects import RUNS
from cato_reporting.adapters.clickhouse.retention import Retention
from cato_reporting.adapters.nats.run_log import DURABLE
from cato_reporting.bootstrap import make_deps
from cato_reporting.projections.archive.archiver import LogRetention
from cato_reporting.service import ReportingService
from cato_runtime.objects import NatsObjectStore
from cato_runtime.requests import RequestContext
from tests.support.servers import Bus
from tests.support.synthetic_runs import Sent, SyntheticRun

ACTOR = Actor(user_id="user")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FixedClock:
    """Stands still, far behind the synthetic runs' events or after them."""

    def __init__(self, now: datetime = NOW) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


async def keep_list(bus: Bus, run: SyntheticRun) -> None:
    ref = run.snapshot.subscribers
    await NatsObjectStore(bus.js).put(ref.bucket, ref.name, run.list_content)


async def publish(bus: Bus, messages: Iterable[Sent]) -> None:
    """Publish the messages in their order; return when the broker has all of them."""
    messages = list(messages)
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def note(answer: Msg) -> None:
        answers.put_nowait(answer.data)

    # All are sent before the first answer is awaited: one by one they take three times the processor time.
    inbox = bus.client.new_inbox()
    subscription = await bus.client.subscribe(inbox, cb=note)
    for sent in messages:
        headers = {"Nats-Msg-Id": sent.message_id}
        await bus.client.publish(sent.subject, sent.data, reply=inbox, headers=headers)
    async with asyncio.timeout(60):
        for _ in messages:
            answer = json.loads(await answers.get())
            assert "error" not in answer, answer
    await subscription.unsubscribe()


async def until_acknowledged(bus: Bus, position: int, *, timeout_s: float = 120.0) -> None:
    """Wait until the read model's consumer has acknowledged everything up to the position.

    Looks at the clock itself: a cancellation, as `asyncio.timeout` sends it, may get lost in the client.
    """
    give_up = time.monotonic() + timeout_s
    floor = None
    while time.monotonic() < give_up:
        try:
            info = await bus.js.consumer_info(RUNS.name, DURABLE)
        except (NatsError, TimeoutError):
            floor = None  # it is just being made anew
        else:
            floor = info.ack_floor.stream_seq if info.ack_floor else 0
            if floor >= position:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"acknowledged up to {floor}, not to {position}")


@asynccontextmanager
async def reporting(
    bus: Bus,
    dsn: str,
    clock: FixedClock | None = None,
    retention: Retention | None = None,
    log_retention: LogRetention | None = None,
) -> AsyncIterator["Reports"]:
    clock = clock or FixedClock()
    deps = make_deps(
        bus.client,
        bus.js,
        NatsObjectStore(bus.js),
        dsn=dsn,
        time_zone="Europe/Moscow",
        clock=clock,
        retention=retention,
        log_retention=log_retention,
    )
    service = ReportingService(deps)
    try:
        await service.start()
        yield Reports(service, clock)
    finally:
        await service.stop()


class Reports:
    """Asks the service as the gateway would."""

    def __init__(self, service: ReportingService, clock: FixedClock) -> None:
        self.service = service
        self._clock = clock
        self._commands = count()

    async def _ask(self, request, command_id=None):
        handler = self.service.requests._handlers[type(request)]
        command_id = command_id or f"command-{next(self._commands)}"
        return await handler(request, RequestContext(command_id, "correlation", self._clock.now()))

    async def run(self, run_id, actor=ACTOR):
        return await self._ask(GetTaskExec(actor=actor, id=run_id))

    async def runs(self, actor=ACTOR, **rest):
        return await self._ask(ListTaskExecs(actor=actor, **rest))

    async def page(self, run_id, actor=ACTOR, **rest):
        text = await self._ask(GetStatusText(actor=actor, run_id=run_id, **rest))
        items = [SubscriberStatus.model_validate(each) for each in json.loads(b"[%b]" % text.text())]
        assert len(items) == text.count
        return Page(items=items, next_cursor=text.next_cursor)

    async def subscribers(self, run_id, *, limit=100, which=SubscriberFilter.ALL, events=True):
        """Every page, joined."""
        items = []
        cursor = None
        while True:
            page = await self.page(run_id, filter=which, limit=limit, cursor=cursor, events=events)
            items.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                return items

    async def calls(self, *, limit=100, cursor=None, actor=ACTOR, subscribers=False, **where):
        query = ListCalls(
            actor=actor, where=CallFilter(**where), limit=limit, cursor=cursor, subscribers=subscribers
        )
        return await self._ask(query)

    async def all_calls(self, *, limit=100, actor=ACTOR, **where):
        """Every page, joined."""
        items = []
        cursor = None
        while True:
            page = await self.calls(limit=limit, cursor=cursor, actor=actor, **where)
            assert len(page.items) <= limit
            items.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                return items

    async def call(self, call_id, actor=ACTOR):
        return await self._ask(GetCall(actor=actor, id=call_id))

    async def statistics(self, group_by, *, time_zone=None, actor=ACTOR, **where):
        return await self._ask(
            GetStatistics(actor=actor, where=CallFilter(**where), group_by=group_by, time_zone=time_zone)
        )

    async def begin_export(
        self, form, *, actor=ACTOR, command_id=None, dialect=ExportDialect.STANDARD, **where
    ):
        command = BeginCallExport(actor=actor, where=CallFilter(**where), format=form, dialect=dialect)
        return (await self._ask(command, command_id)).id

    async def piece(self, export_id, place, actor=ACTOR):
        return await self._ask(TakeExportPiece(actor=actor, id=export_id, place=place))

    async def end_export(self, export_id, actor=ACTOR):
        return await self._ask(EndCallExport(actor=actor, id=export_id))

    async def export(self, form, *, actor=ACTOR, **where):
        """The whole file."""
        return await self._taken(await self.begin_export(form, actor=actor, **where), actor)

    async def export_subscribers(self, run_id, form, *, actor=ACTOR, **rest):
        """The whole file."""
        command = BeginSubscriberExport(actor=actor, run_id=run_id, format=form, **rest)
        return await self._taken((await self._ask(command)).id, actor)

    async def listed(self, run_id, *, limit=100, actor=ACTOR, **search):
        """Every page of the list of subscribers, joined."""
        items, cursor = [], None
        while True:
            query = ListRunSubscribers(actor=actor, run_id=run_id, limit=limit, cursor=cursor, **search)
            page = await self._ask(query)
            assert len(page.items) <= limit
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                return items

    async def _taken(self, export_id, actor):
        content = b""
        for place in count():
            piece = await self.piece(export_id, place, actor)
            content += piece.data
            if piece.last:
                break
        await self.end_export(export_id, actor)
        return content
