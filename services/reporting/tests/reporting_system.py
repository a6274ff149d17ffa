"""Reporting in the test's own process, on a real broker and the real ClickHouse engine."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cato_contracts.requests import Actor
from cato_contracts.status import GetTaskExec, ListSubscriberStatuses, ListTaskExecs, SubscriberFilter
from cato_reporting.bootstrap import ReportingRole, build_role
from cato_runtime.objects import NatsObjectStore
from cato_runtime.requests import RequestContext
from tests.infra.servers import Bus
from tests.infra.synthetic_runs import Sent, SyntheticRun

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
    for sent in messages:
        await bus.js.publish(sent.subject, sent.data, headers={"Nats-Msg-Id": sent.message_id})


@asynccontextmanager
async def reporting(bus: Bus, dsn: str, clock: FixedClock | None = None) -> AsyncIterator["Reports"]:
    role = build_role(bus.client, bus.js, NatsObjectStore(bus.js), dsn=dsn, clock=clock or FixedClock())
    try:
        await role.start()
        yield Reports(role, clock or FixedClock())
    finally:
        await role.stop()


class Reports:
    """Asks the role as the gateway would."""

    def __init__(self, role: ReportingRole, clock: FixedClock) -> None:
        self.role = role
        self._clock = clock

    async def _ask(self, request):
        handler = self.role.requests._handlers[type(request)]
        return await handler(request, RequestContext("command", "correlation", self._clock.now()))

    async def run(self, run_id, actor=ACTOR):
        return await self._ask(GetTaskExec(actor=actor, id=run_id))

    async def runs(self, actor=ACTOR, **rest):
        return await self._ask(ListTaskExecs(actor=actor, **rest))

    async def page(self, run_id, actor=ACTOR, **rest):
        return await self._ask(ListSubscriberStatuses(actor=actor, run_id=run_id, **rest))

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
