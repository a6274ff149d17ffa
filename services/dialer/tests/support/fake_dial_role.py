"""A dial role without calls: it takes the jobs of every run and answers with results."""

import asyncio
from contextlib import suppress
from uuid import UUID

import nats.errors
import nats.js.errors
from nats.aio.client import Client as NatsClient

from cato_contracts.envelope import Envelope
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.subjects import DIAL, RUN_DISPATCH_STATES, dial_consumer
from cato_jetstream import EventLogError, JetStreamLog
from services.dialer.tests.support.campaign_world import Outcome, publish_result

_TROUBLE = (nats.errors.Error, nats.js.errors.Error, EventLogError, OSError, TimeoutError)


async def dial_by_consumer(client: NatsClient, outcome: Outcome) -> None:
    """Answer until cancelled; after an error of the broker it tries again."""
    task = asyncio.current_task()
    # A cancellation at the end of a `wait_for` is raised as its time-out (Python 3.11).
    while task is not None and not task.cancelling():
        with suppress(*_TROUBLE):
            bucket = await client.jetstream().key_value(RUN_DISPATCH_STATES.name)
            for key in await bucket.keys():
                state = RunDispatchState.model_validate_json((await bucket.get(key)).value or b"")
                if state.mode is RunMode.CALLING:
                    await _take_some(client, state.run_id, outcome)
        await asyncio.sleep(0.02)


async def _take_some(client: NatsClient, run_id: UUID, outcome: Outcome) -> None:
    js = client.jetstream()
    subscription = await js.pull_subscribe_bind(consumer=dial_consumer(run_id), stream=DIAL.name)
    log = JetStreamLog(client, "RUNS")
    try:
        for message in await subscription.fetch(20, timeout=0.2):
            job = Envelope[DialJob].model_validate_json(message.data).body
            await publish_result(log, job, notified=outcome(job))
            await message.ack_sync()
    finally:
        await subscription.unsubscribe()
