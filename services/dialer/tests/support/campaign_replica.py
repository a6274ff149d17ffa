"""A separate process with a campaign role that starts a task and drives its run, for tests that kill it."""

import asyncio
import sys

from cato_runtime.broker import connect, make_broker
from cato_runtime.objects import NatsObjectStore
from services.dialer.tests.support.campaign_on_nats import role_on
from services.dialer.tests.support.campaign_world import Client, people
from services.dialer.tests.support.memory_campaign import MemoryAudioLibrary


async def main(url: str) -> None:
    client = await connect(make_broker(url, "replica"))
    audio = MemoryAudioLibrary()
    role = role_on(client, audio)
    await role.start()
    user = Client(role.requests, NatsObjectStore(client.jetstream()), audio)
    run_id = await user.start(await user.add_task([people(60)], attempt_delay_s=1))
    sys.stdout.write(f"run {run_id}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
