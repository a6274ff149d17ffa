"""The contract suite of the campaign's queue, dispatch states, results and leases, with three copies."""

import pytest

from services.dialer.tests.contract.campaign.test_campaign_ports import *  # noqa: F403 - all of its tests
from services.dialer.tests.contract.campaign.test_campaign_ports import on_nats


@pytest.fixture
async def client(connected):
    return await connected()


@pytest.fixture
async def adapters(client):
    return on_nats(client)
