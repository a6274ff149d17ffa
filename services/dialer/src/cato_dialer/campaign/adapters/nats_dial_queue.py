"""The dial jobs on the work-queue stream. Each job has its own subject, so it is queued at most once."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from cato_contracts.envelope import Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.messages.jobs import DialJob
from cato_contracts.subjects import DIAL, dial_consumer, dial_job
from cato_jetstream import (
    EventLogError,
    NotFound,
    Outgoing,
    SubjectFull,
    SubjectReader,
    publish_all,
    translated,
)
from cato_runtime import tracing
from cato_runtime.clock import Clock

_ACK_WAIT_S = 10.0
_MAX_ACK_PENDING = 100_000
_UNLIMITED = -1
_ENCODED_AT_ONCE = 100
_API_TIMEOUT_S = 10.0


class NatsDialQueue:
    """Implements `ports.DialQueue`."""

    def __init__(self, client: Client, js: JetStreamContext, clock: Clock) -> None:
        self._client = client
        self._js = js
        self._clock = clock
        self._reader = SubjectReader(client, DIAL.name, timeout_s=_API_TIMEOUT_S)

    async def open(self, run_id: UUID) -> None:
        with translated("consumer of a run not created"):
            # The server accepts an existing consumer with the same settings.
            await self._js.add_consumer(
                DIAL.name,
                ConsumerConfig(
                    name=dial_consumer(run_id),
                    durable_name=dial_consumer(run_id),
                    filter_subject=_of_run(run_id),
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=_ACK_WAIT_S,
                    max_ack_pending=_MAX_ACK_PENDING,
                    max_deliver=_UNLIMITED,
                ),
            )

    async def enqueue(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        messages, too_large = [], []
        for number, job in enumerate(jobs, 1):
            message = self._message(job)
            if len(message.data) > self._client.max_payload:
                too_large.append(job)
            else:
                messages.append(message)
            if number % _ENCODED_AT_ONCE == 0:
                await asyncio.sleep(0)
        for outcome in await publish_all(self._client, messages):
            if isinstance(outcome, EventLogError) and not isinstance(outcome, SubjectFull):
                raise BrokerError(f"job refused: {outcome}")
        return too_large

    async def count(self, run_id: UUID) -> int:
        try:
            with translated("jobs of a run not counted"):
                info = await self._js.consumer_info(DIAL.name, dial_consumer(run_id))
        except NotFound:
            return len(await self._subjects(_of_run(run_id)))
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def queued(self, run_id: UUID, wave: int) -> set[int]:
        subjects = await self._subjects(dial_job(run_id, wave, "*"))
        return {int(subject.rsplit(".", 1)[1]) for subject in subjects}

    async def in_hand(self, run_id: UUID) -> set[int]:
        try:
            with translated("jobs of a run not counted"):
                info = await self._js.consumer_info(DIAL.name, dial_consumer(run_id))
        except NotFound:
            return set()
        delivered = info.delivered.stream_seq if info.delivered is not None else 0
        if not info.num_ack_pending or not delivered:
            return set()
        with translated("jobs of a run not listed"):
            jobs = await self._reader.messages(_of_run(run_id), until=delivered)
        return {int(job.subject.rsplit(".", 1)[1]) for job in jobs}

    async def close(self, run_id: UUID) -> None:
        with suppress(NotFound), translated("consumer of a run not deleted"):
            await self._js.delete_consumer(DIAL.name, dial_consumer(run_id))
        with translated("jobs of a run not dropped"):
            await self._js.purge_stream(DIAL.name, subject=_of_run(run_id))

    def _message(self, job: DialJob) -> Outgoing:
        no = job.subscriber.no
        envelope = Envelope[Any].wrap(
            job,
            event_id=f"{job.run_id}:job:{job.wave}:{no}",
            occurred_at=self._clock.now(),
            correlation_id=str(job.run_id),
        )
        # No message id: the duplicate window would reject a lost job that is queued again.
        return Outgoing(dial_job(job.run_id, job.wave, no), envelope.encode(), more=tracing.headers())

    async def _subjects(self, pattern: str) -> list[str]:
        """Return the subjects that have a message. The server lists 100,000 at a time."""
        subjects: list[str] = []
        while True:
            request = json.dumps({"subjects_filter": pattern, "offset": len(subjects)}).encode()
            with translated("jobs of a run not listed"):
                reply = await self._client.request(
                    f"$JS.API.STREAM.INFO.{DIAL.name}", request, timeout=_API_TIMEOUT_S
                )
            # Megabytes of JSON: parsed in a thread, so that the event loop is not blocked.
            page = await asyncio.to_thread(json.loads, reply.data)
            if "error" in page:
                raise BrokerError(f"jobs of a run not listed: {page['error']}")
            found = page["state"].get("subjects") or {}
            subjects.extend(found)
            if not found or len(subjects) >= page.get("total", 0):
                return subjects


def _of_run(run_id: UUID) -> str:
    return f"dial.{run_id}.>"
