"""The open calls in the log of a run, and the results that the coordinator publishes."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy

from cato_contracts.envelope import Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import FINAL_KINDS
from cato_contracts.subjects import RUNS, run_call, run_fence, run_result, run_subscriber
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
        given = {each.result.no: each for each in results}
        messages = {no: self._message(each) for no, each in given.items()}
        stored = await self._write(messages)
        late = [no for no in messages if no not in stored]
        again: dict[int, Outgoing] = {}
        for no in late:
            head = await self._head(messages[no])
            known = await self._log.last(messages[no].subject, fresh=True)
            # The last message may be the end of a call, which the coordinator does not follow.
            if not head.is_call_up and (known.sequence if known else 0) == given[no].after:
                again[no] = replace(messages[no], expected=head.sequence)
        stored |= await self._write(again)
        return max(stored.values(), default=0)

    async def reject_starts(self, run_id: UUID, last: Mapping[int, int]) -> frozenset[int]:
        messages = {
            no: Outgoing(run_fence(run_id, no), b"", after, within=run_subscriber(run_id, no))
            for no, after in last.items()
        }
        stored = await self._write(messages)
        again: dict[int, Outgoing] = {}
        for no in messages.keys() - stored.keys():
            head = await self._head(messages[no])
            if not head.is_call_up:
                again[no] = replace(messages[no], expected=head.sequence)
        stored |= await self._write(again)
        return frozenset(messages.keys() - stored.keys())

    async def _write(self, messages: Mapping[int, Outgoing]) -> dict[int, int]:
        """Publish the messages; return the sequences of those whose condition held."""
        outcomes = await publish_all(self._client, list(messages.values()))
        for outcome in outcomes:
            if isinstance(outcome, EventLogError) and not isinstance(outcome, Conflict):
                raise BrokerError(f"message of a run refused: {outcome}")
        return {
            no: outcome for no, outcome in zip(messages, outcomes, strict=True) if isinstance(outcome, int)
        }

    async def _head(self, message: Outgoing) -> "_Head":
        last = await self._log.last(message.within or message.subject, fresh=True)
        if last is None:
            return _Head(0, is_call_up=False)
        return _Head(last.sequence, is_call_up=".call." in last.subject and _is_open(last.data))

    def _message(self, given: QueuedResult) -> Outgoing:
        result = given.result
        envelope = Envelope[Any].wrap(
            result,
            event_id=f"{result.run_id}:{result.no}:{result.wave}",
            occurred_at=self._clock.now(),
            correlation_id=str(result.run_id),
        )
        subject, within = run_result(result.run_id, result.no), run_subscriber(result.run_id, result.no)
        return Outgoing(subject, envelope.encode(), given.after, within)


@dataclass(frozen=True, slots=True)
class _Head:
    """The last message of a subscriber."""

    sequence: int
    is_call_up: bool


def _is_open(data: bytes) -> bool:
    return json.loads(data)["body"]["kind"] not in FINAL_KINDS
