from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nats.aio.client import Client

from cato_contracts.errors import BrokerError
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.ports.dial import FencedError
from services.dialer.tests.support.journal_entries import RUN, event, result

Connect = Callable[[], Awaitable[Client]]


async def test_the_log_of_a_subscriber_is_read_in_order_and_alone(connect: Connect) -> None:
    journal = NatsCallJournal(await connect())
    head = other = 0
    written = [event(seq) for seq in range(700)]
    for one in written:
        head = await journal.append(one, head)
        if one.body.seq % 100 == 0:
            other = await journal.append(event(one.body.seq, no=10), other)
    last = await journal.append(result(1), head)
    log = await journal.read(RUN, 0)
    assert log.events == tuple(one.body for one in written)
    assert (log.result, log.head) == (result(1).body, last)


async def test_the_same_event_of_a_second_writer_is_fenced(connect: Connect) -> None:
    ours, theirs = NatsCallJournal(await connect()), NatsCallJournal(await connect())
    same = event(0)
    await theirs.append(same, 0)
    with pytest.raises(FencedError):
        await ours.append(same, 0)


async def test_without_a_broker_reads_and_writes_raise_broker_error(connect: Connect, server: Any) -> None:
    journal = NatsCallJournal(await connect(), timeout_s=0.3)
    await server.kill()
    with pytest.raises(BrokerError):
        await journal.append(event(0), 0)
    await server.restart()
