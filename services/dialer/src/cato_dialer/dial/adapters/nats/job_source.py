"""The queue of jobs: one pull consumer per run on the stream DIAL, and the runs from the bucket `runs`.

The pull requests are our own (nats-py's `fetch` waits for the whole of what it asks, or asks for one only):
a request without waiting says at once what there is, and once a run has no more, a waiting request for a
single job tells when it has. What arrives when nobody can work on it is given back.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue
from pydantic import ValidationError

from cato_contracts.envelope import UndecodableError, decode
from cato_contracts.errors import BrokerError
from cato_contracts.jobs import DialJob, RunTicket
from cato_contracts.subjects import DIAL, JOB_PRESENCE, RUN_TICKETS, dead_letter, dial_consumer
from cato_dialer.dial.ports.dial import JobDelivery
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 2.0
_WAIT_S = 30.0
_CHECK_S = 1.0
_REOPEN_S = 1.0
_PATIENCE_S = 1.0
_PATIENCE_AFTER_OUTAGE_S = 5.0
_OUTAGE_ECHO_S = 30.0


class NatsJobDelivery:
    """A delivered job."""

    def __init__(self, message: Msg, job: DialJob) -> None:
        self._message = message
        self._job = job

    @property
    def key(self) -> str:
        return self._message.subject

    @property
    def job(self) -> DialJob:
        return self._job

    @property
    def redelivered(self) -> bool:
        return self._message.metadata.num_delivered > 1

    async def done(self) -> None:
        await self._tell(self._message.ack())

    async def give_back(self, delay_s: float) -> None:
        await self._tell(self._message.nak(delay_s))

    async def extend(self) -> None:
        await self._tell(self._message.in_progress())

    async def _tell(self, acknowledgement: Any) -> None:
        # If it gets lost, the job comes again: whoever then has it finds in the log what was done.
        try:
            with translated():
                await acknowledgement
        except BrokerError as error:
            log.warning("the queue could not be told about a job", job=self.key, error=repr(error))


class _RunQueue:
    """One run's consumer, as this replica pulls from it."""

    def __init__(self, client: Client, run_id: UUID, on_arrival: Callable[[], None]) -> None:
        self._client = client
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{DIAL.name}.{dial_consumer(run_id)}"
        self._on_arrival = on_arrival
        self._probe_inbox = client.new_inbox()
        self._wait_inbox = client.new_inbox()
        self._probes: asyncio.Queue[Msg] = asyncio.Queue()
        self._arrived: list[Msg] = []
        self._waiting_until: float | None = None
        self._subscriptions: list[Subscription] = []

    async def open(self) -> None:
        self._subscriptions = [
            await self._client.subscribe(self._probe_inbox, cb=self._on_probe),
            await self._client.subscribe(self._wait_inbox, cb=self._on_waited),
        ]

    async def close(self) -> None:
        for subscription in self._subscriptions:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await subscription.unsubscribe()

    async def take(self, limit: int) -> list[Msg]:
        """Return up to `limit` messages that are there; with fewer, a request waits for the next one."""
        messages, self._arrived = self._arrived[:limit], self._arrived[limit:]
        if len(messages) < limit and not self._is_waiting():
            messages += await self._probe(limit - len(messages))
            if len(messages) < limit:
                await self._wait()
        return messages

    def forget_requests(self) -> None:
        """The connection was lost, and what we had asked for with it."""
        self._waiting_until = None

    def unused(self) -> list[Msg]:
        messages, self._arrived = self._arrived, []
        return messages

    def _is_waiting(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._waiting_until is not None and now < self._waiting_until

    async def _probe(self, count: int) -> list[Msg]:
        # What an earlier request brought too late is here by now.
        messages: list[Msg] = []
        while len(messages) < count and not self._probes.empty():
            late = self._probes.get_nowait()
            if _status(late) is None:
                messages.append(late)
        if len(messages) == count:
            return messages
        await self._ask({"batch": count - len(messages), "no_wait": True}, self._probe_inbox)
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                while len(messages) < count:
                    message = await self._probes.get()
                    if _status(message) is not None:
                        break
                    messages.append(message)
        except TimeoutError:
            log.warning("the queue of a run does not answer", consumer=self._request.rsplit(".", 1)[1])
        return messages

    async def _wait(self) -> None:
        self._waiting_until = asyncio.get_running_loop().time() + _WAIT_S + _CHECK_S
        await self._ask({"batch": 1, "expires": int(_WAIT_S * 1e9)}, self._wait_inbox)

    async def _ask(self, request: dict[str, object], inbox: str) -> None:
        await self._client.publish(self._request, json.dumps(request).encode(), reply=inbox)

    async def _on_probe(self, message: Msg) -> None:
        self._probes.put_nowait(message)

    async def _on_waited(self, message: Msg) -> None:
        status = _status(message)
        if status is None:
            self._waiting_until = None
            self._arrived.append(message)
            self._on_arrival()
        elif status == "408":
            self._waiting_until = None
            self._on_arrival()
        else:
            # No such consumer (any more, or yet), or no leader: not worth more than a question a second.
            self._waiting_until = asyncio.get_running_loop().time() + _CHECK_S


class NatsJobSource:
    """One replica's end of the queue."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=_TIMEOUT_S)
        self._dead_letters = DeadLetters(self._js, "dialer")
        self._tickets: dict[UUID, RunTicket] = {}
        self._queues: dict[UUID, _RunQueue] = {}
        self._on_change: Callable[[], None] = lambda: None
        self._has_call: Callable[[str], bool] = lambda _key: False
        self._name = str(uuid4())
        self._questions: Subscription | None = None
        self._reconnects = client.stats["reconnects"]
        self._reconnected_at = -_OUTAGE_ECHO_S
        self._follower: asyncio.Task[None] | None = None

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        self._on_change = on_change
        self._has_call = has_call
        self._questions = await self._client.subscribe(JOB_PRESENCE, cb=self._answer)
        self._follower = asyncio.create_task(self._follow())

    def tickets(self) -> Mapping[UUID, RunTicket]:
        return self._tickets

    async def take(self, run_id: UUID, limit: int) -> Sequence[JobDelivery]:
        if not self._client.is_connected:
            return []
        self._note_connection()
        holds: list[JobDelivery] = []
        try:
            with translated(f"jobs of run {run_id} cannot be taken"):
                queue = await self._queue(run_id)
                while len(holds) < limit:
                    asked = limit - len(holds)
                    messages = await queue.take(asked)
                    taken = [await self._hold(message) for message in messages]
                    holds.extend(hold for hold in taken if hold is not None)
                    if len(messages) < asked:
                        break
        except BrokerError:
            if not holds:
                raise
        return holds

    async def on_call_elsewhere(self, key: str) -> bool:
        loop = asyncio.get_running_loop()
        self._note_connection()
        # After an outage the others may come back later than we, with their calls still up.
        recently = loop.time() - self._reconnected_at < _OUTAGE_ECHO_S
        deadline = loop.time() + (_PATIENCE_AFTER_OUTAGE_S if recently else _PATIENCE_S)
        question = json.dumps({"asker": self._name, "key": key}).encode()
        while (left := deadline - loop.time()) > 0:
            try:
                with translated("the other replicas cannot be asked"):
                    await self._client.request(JOB_PRESENCE, question, timeout=min(left, _PATIENCE_S))
            except TimedOut:
                continue
            else:
                return True
        return False

    async def return_unused(self) -> None:
        for queue in tuple(self._queues.values()):
            for message in queue.unused():
                if (hold := await self._hold(message)) is not None:
                    await hold.give_back(0)

    async def close(self) -> None:
        await end_tasks(self._follower)
        await self.return_unused()
        for queue in self._queues.values():
            await queue.close()
        self._queues.clear()
        if self._questions is not None:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await self._questions.unsubscribe()

    async def _answer(self, message: Msg) -> None:
        question = json.loads(message.data)
        if question["asker"] != self._name and self._has_call(question["key"]):
            await message.respond(b"mine")

    def _note_connection(self) -> None:
        if (count := self._client.stats["reconnects"]) != self._reconnects:
            self._reconnects = count
            self._reconnected_at = asyncio.get_running_loop().time()

    async def _queue(self, run_id: UUID) -> _RunQueue:
        queue = self._queues.get(run_id)
        if queue is None:
            queue = _RunQueue(self._client, run_id, self._on_change)
            await queue.open()
            self._queues[run_id] = queue
        return queue

    async def _hold(self, message: Msg) -> NatsJobDelivery | None:
        try:
            return NatsJobDelivery(message, _job(message.data))
        except UndecodableError as error:
            log.exception("a job cannot be read", job=message.subject)
            reason = str(error)
        origin = Origin(message.subject, DIAL.name, message.metadata.sequence.stream)
        try:
            await self._dead_letters.publish(message.data, origin, reason)
            with translated():
                await message.term()
        except BrokerError as error:
            log.warning("a bad job stays in the queue for now", job=message.subject, error=str(error))
        return None

    async def _follow(self) -> None:
        """Follow the tickets; begin anew after each reconnection, as a watch may take long to come back."""
        while True:
            try:
                with translated():
                    await self._follow_connection()
            except (BrokerError, NotFound) as error:
                log.warning("the runs cannot be followed now", error=repr(error))
                await asyncio.sleep(_REOPEN_S)

    async def _follow_connection(self) -> None:
        connection = self._client.stats["reconnects"]
        bucket = await self._js.key_value(RUN_TICKETS.name)
        watcher: Any = await bucket.watchall()
        try:
            before = set(self._tickets)
            caught_up = False
            while self._client.stats["reconnects"] == connection:
                try:
                    entry = await watcher.updates(timeout=_CHECK_S)
                except TimeoutError:
                    continue
                if entry is None:
                    caught_up = True
                    for gone in before:
                        await self._drop(gone)
                elif (run_id := await self._apply(entry)) is not None:
                    before.discard(run_id)
                if caught_up:
                    self._on_change()
        finally:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await watcher.stop()
        for queue in self._queues.values():
            queue.forget_requests()
        self._on_change()

    async def _apply(self, entry: KeyValue.Entry) -> UUID | None:
        try:
            run_id = UUID(entry.key)
            if entry.operation in (KV_DEL, KV_PURGE):
                await self._drop(run_id)
                return None
            self._tickets[run_id] = RunTicket.model_validate_json(entry.value or b"")
        except (ValueError, ValidationError):
            log.exception("a run's ticket cannot be read", key=entry.key)
            return None
        return run_id

    async def _drop(self, run_id: UUID) -> None:
        self._tickets.pop(run_id, None)
        queue = self._queues.pop(run_id, None)
        if queue is not None:
            for message in queue.unused():
                if (hold := await self._hold(message)) is not None:
                    await hold.give_back(0)
            await queue.close()


def _job(data: bytes) -> DialJob:
    body = decode(data).body
    if not isinstance(body, DialJob):
        raise UndecodableError(f"a {type(body).__name__} is no job")
    return body


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get(Header.STATUS)
