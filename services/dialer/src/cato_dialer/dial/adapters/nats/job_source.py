"""The queue of jobs: one pull consumer for each run on the stream DIAL."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from cato_contracts.envelope import decode
from cato_contracts.errors import UndecodableError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_dialer.dial.adapters.nats.call_presence import CallPresence
from cato_dialer.dial.adapters.nats.run_queue import RunQueue
from cato_dialer.dial.adapters.nats.run_states import NatsRunStates
from cato_dialer.dial.adapters.spool.jobs_in_hand import JobsInHand
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_dialer.dial.ports.dial import JobDelivery
from cato_jetstream import DeadLetters, Delivery, EventLogError, translated
from cato_runtime.tracing import TRACEPARENT

log = structlog.get_logger()

_TIMEOUT_S = 5.0
_NAK = b"-NAK"
"""The broker ignores it if the job was acknowledged since; if another replica has it, that one goes on."""


class NatsJobDelivery:
    """A job as delivered by its run's consumer."""

    def __init__(
        self,
        delivery: Delivery,
        reply: str,
        in_hand: JobsInHand | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Raises: UndecodableError: the message is not a job."""
        self.traceparent = (headers or {}).get(TRACEPARENT)
        self.job = _job(delivery.data)
        self.key = delivery.subject
        self.redelivered = delivery.redelivered
        self._delivery = delivery
        self._in_hand = in_hand
        self._reply = reply
        self.extend = delivery.extend
        if in_hand is not None:
            in_hand.took(reply)

    async def done(self) -> None:
        await self._delivery.done()
        self.leave()

    async def give_back(self, delay_s: float) -> None:
        await self._delivery.give_back(delay_s)
        self.leave()

    def leave(self) -> None:
        if self._in_hand is not None:
            self._in_hand.gave(self._reply)


class NatsJobSource:
    """One replica's end of the queue."""

    def __init__(self, client: Client, own: CallOwner, in_hand: JobsInHand | None = None) -> None:
        """`in_hand` keeps the jobs for the next start of this process."""
        self._client = client
        self._in_hand = in_hand
        self._dead_letters = DeadLetters(client.jetstream(timeout=_TIMEOUT_S), "dialer")
        self._queues: dict[UUID, RunQueue] = {}
        self._on_change: Callable[[], None] = lambda: None
        self._presence = CallPresence(client, own)
        self._runs = NatsRunStates(client, self._changed, self._close_queue, self._forget_requests)

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        self._on_change = on_change
        await self._presence.open(has_call)
        await self._return_left()
        self._runs.open()

    def run_states(self) -> Mapping[UUID, RunDispatchState]:
        return self._runs.states

    async def ask_owner(self, key: str, owner: CallOwner | None) -> OwnerAnswer:
        return await self._presence.ask_owner(key, owner)

    async def take(self, run_id: UUID, limit: int) -> Sequence[JobDelivery]:
        if not self._client.is_connected:
            return []
        self._presence.note_connection()
        deliveries: list[JobDelivery] = []
        try:
            with translated(f"jobs of run {run_id} cannot be taken"):
                queue = await self._queue(run_id)
                while len(deliveries) < limit:
                    asked = limit - len(deliveries)
                    messages = await queue.take(asked)
                    decoded = [await self._delivery(message) for message in messages]
                    deliveries.extend(delivery for delivery in decoded if delivery is not None)
                    if len(messages) < asked:
                        break
        except EventLogError:
            if not deliveries:
                raise
        return deliveries

    async def return_unused(self) -> None:
        for queue in tuple(self._queues.values()):
            await self._return(queue)

    async def close(self) -> None:
        await self._runs.close()
        await self.return_unused()
        for queue in self._queues.values():
            await queue.close()
        self._queues.clear()
        await self._presence.close()

    def _changed(self) -> None:
        self._on_change()

    async def _queue(self, run_id: UUID) -> RunQueue:
        queue = self._queues.get(run_id)
        if queue is None:
            queue = RunQueue(self._client, run_id, self._changed)
            await queue.open()
            self._queues[run_id] = queue
        return queue

    async def _close_queue(self, run_id: UUID) -> None:
        queue = self._queues.pop(run_id, None)
        if queue is not None:
            await self._return(queue)
            await queue.close()

    def _forget_requests(self) -> None:
        for queue in self._queues.values():
            queue.forget_requests()

    async def _return(self, queue: RunQueue) -> None:
        for message in queue.unused():
            if (delivery := await self._delivery(message)) is not None:
                await delivery.give_back(0)

    async def _return_left(self) -> None:
        """Have the jobs delivered that the previous life of this process had in hand."""
        left = self._in_hand.left() if self._in_hand is not None else []
        with translated("jobs of the previous start cannot be returned"):
            for reply in left:
                await self._client.publish(reply, _NAK)
        if left:
            log.info("jobs of the previous start were returned to the queue", jobs=len(left))

    async def _delivery(self, message: Msg) -> NatsJobDelivery | None:
        """Decode a job; one that cannot be decoded becomes a dead letter."""
        delivery = Delivery(message, self._dead_letters)
        try:
            return NatsJobDelivery(delivery, message.reply, self._in_hand, message.headers)
        except UndecodableError as error:
            await delivery.fail(error)
        return None


def _job(data: bytes) -> DialJob:
    body = decode(data).body
    if not isinstance(body, DialJob):
        raise UndecodableError(f"{type(body).__name__} is not a job")
    return body
