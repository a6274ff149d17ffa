"""Exclusion lists on a real broker: a request waits for the dialers, by their keys in the bucket `leases`."""

import asyncio
from datetime import UTC, datetime

import pytest

from cato_contracts.api.rules.exclusions import Exclusion, ExclusionScope
from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.messages.exclusion_commands import AddExclusionList, ExcludeNumber
from cato_dialer.exclusions.guard import KEY_TTL_S, ExclusionGuard
from cato_dialer.exclusions.nats_board import NatsReadingBoard
from cato_jetstream import JetStreamLog
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.clock import SystemClock
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.campaign_on_nats import role_on
from services.dialer.tests.support.campaign_world import USER, Client
from services.dialer.tests.support.memory_campaign import MemoryAudioLibrary
from services.dialer.tests.support.memory_exclusions import exclusion_reader

pytestmark = pytest.mark.timeout(120)
NUMBER = "+73437200041"


async def test_an_exclusion_waits_for_live_dialers_and_for_the_key_of_a_dead_one(tmp_path):
    async with EmbeddedNats(tmp_path / "nats") as server:
        broker = make_broker(server.url, "test")
        client = await connect(broker)
        js = client.jetstream(timeout=10)
        await ensure_topology(js)
        objects = NatsObjectStore(js)
        guards = [
            ExclusionGuard(
                exclusion_reader(JetStreamLog(client, "EVENTS"), objects, SystemClock()),
                NatsReadingBoard(client, CallOwner(instance=f"dialer-{no}", incarnation=1)),
                SystemClock(),
            )
            for no in range(2)
        ]
        role = role_on(client, MemoryAudioLibrary())
        await role.start()
        for guard in guards:
            await guard.open()
        campaign = Client(role.requests, objects, MemoryAudioLibrary())
        upload = await campaign.upload(b'[{"number": "776413"}]')
        added = await campaign.ask(
            AddExclusionList(
                actor=USER, name="x", scope=ExclusionScope.USER, format=ListFormat.JSON, upload=upload
            )
        )
        await campaign.ask(ExcludeNumber(actor=USER, id=added.id, exclusion=Exclusion(number=NUMBER)))
        for guard in guards:
            assert guard.usable_until() > datetime.now(UTC)
            numbers = guard._reader.book.numbers(added.id)
            assert numbers is not None
            assert numbers.get(NUMBER) is not None
        # The second dialer dies: its key is waited for, and no longer.
        board = NatsReadingBoard(client)
        assert len(await board.positions()) == 2
        guards[1]._keeping.cancel()
        died = asyncio.get_running_loop().time()
        await campaign.ask(ExcludeNumber(actor=USER, id=added.id, exclusion=Exclusion(number="776450")))
        assert asyncio.get_running_loop().time() - died < KEY_TTL_S + 5
        assert guards[1].usable_until() is None
        await guards[0].close()
        assert await board.positions() == []
        await guards[1]._reader.stop()
        await role.stop()
        await broker.stop()
