"""The open calls in the log of a run, and the results that the coordinator publishes."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy

from cato_contracts.envelope import Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import FINAL_KINDS
from cato_contracts.subjects import RUNS, run_call, run_result
from cato_dialer.campaign.ports import QueuedResult
from cato_jetstream import Conflict, EventLogError, JetStreamLog, Outgoing, ephemeral_feed, publish_all
from cato_runtime.clock import Clock


class NatsRunCalls:
    """Implements `ports.RunCalls`."""

    def __init__(self, client: Client, js: JetStreamContext, clock: Clock) -> None:
        self._client = client
        self._js = js
        self._log = JetStreamLog(client, RUNS.name)
        self._clock = clock

    async def up(self, run_id: UUID, among: Collection[int] | None = None) -> frozenset[int]:
        if among is None:
            return await self._up_of_all(run_id)
        return frozenset([no for no in among if await self._is_up(run_id, no)])

    async def _is_up(self, run_id: UUID, no: int) -> bool:
        last = await self._log.last(run_call(run_id, no), fresh=True)
        return last is not None and _is_open(last.data)

    async def _up_of_all(self, run_id: UUID) -> frozenset[int]:
        """Read the last call event of every subscriber."""
        config = ConsumerConfig(
            filter_subject=run_call(run_id, "*"), deliver_policy=DeliverPolicy.LAST_PER_SUBJECT
        )
        open_calls: set[int] = set()
        async with ephemeral_feed(self._client, self._js, RUNS.name, config) as (feed, there):
            left = there
            while left > 0:
                records = await feed.take(left)
                for record in records:
                    no = int(record.subject.rsplit(".", 1)[1])
                    # Events after the snapshot follow in order, so the last event of a subscriber counts.
                    open_calls.add(no) if _is_open(record.data) else open_calls.discard(no)
                left -= len(records)
        return frozenset(open_calls)

    async def give_results(self, results: Sequence[QueuedResult]) -> int:
        outcomes = await publish_all(self._client, [self._message(given) for given in results])
        for outcome in outcomes:
            if isinstance(outcome, EventLogError) and not isinstance(outcome, Conflict):
                raise BrokerError(f"result refused: {outcome}")
        return max((outcome for outcome in outcomes if isinstance(outcome, int)), default=0)

    def _message(self, given: QueuedResult) -> Outgoing:
        result = given.result
        envelope = Envelope[Any].wrap(
            result,
            event_id=f"{result.run_id}:{result.no}:{result.wave}",
            occurred_at=self._clock.now(),
            correlation_id=str(result.run_id),
        )
        return Outgoing(run_result(result.run_id, result.no), envelope.encode(), given.after)


def _is_open(data: bytes) -> bool:
    return json.loads(data)["body"]["kind"] not in FINAL_KINDS
