"""The contract suite of the records of numbers on a bucket with three copies."""

import pytest

from cato_contracts.numbering import Numbering
from cato_dialer.dial.adapters.nats.contacts.ledger import NatsContacts
from services.dialer.tests.contract.dial.test_contacts import *  # noqa: F403 - all of its tests
from services.dialer.tests.contract.dial.test_contacts import Ledgers


@pytest.fixture
async def ledgers(connected) -> Ledgers:
    """The ports of replicas that are connected to different servers."""
    made = 0

    async def one_more() -> NatsContacts:
        nonlocal made
        made += 1
        return NatsContacts(await connected(made % 3), Numbering(), one_call_per_number=True)

    return one_more
