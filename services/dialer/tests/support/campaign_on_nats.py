"""A campaign role on a real broker."""

from nats.aio.client import Client as NatsClient

from cato_dialer.campaign.adapters.nats_dial_queue import NatsDialQueue
from cato_dialer.campaign.adapters.nats_leases import NatsLeases
from cato_dialer.campaign.adapters.nats_run_calls import NatsRunCalls
from cato_dialer.campaign.adapters.nats_run_states import NatsRunStates
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.role import CampaignRole
from cato_dialer.exclusions.nats_board import NatsReadingBoard
from cato_jetstream import JetStreamLog
from cato_runtime.clock import SystemClock
from cato_runtime.objects import NatsObjectStore
from services.dialer.tests.support.campaign_world import CONFIG, QUICK
from services.dialer.tests.support.memory_campaign import MemoryAudioLibrary
from services.dialer.tests.support.memory_exclusions import exclusion_reader
from tests.support.lists.direct_list_reader import DirectListReader


def role_on(client: NatsClient, audio: MemoryAudioLibrary) -> CampaignRole:
    js = client.jetstream(timeout=10)
    clock = SystemClock()
    deps = Deps(
        events=JetStreamLog(client, "EVENTS"),
        run_log=JetStreamLog(client, "RUNS"),
        objects=NatsObjectStore(js),
        list_reader=DirectListReader(),
        audio=audio,
        queue=NatsDialQueue(client, js, clock),
        run_states=NatsRunStates(js),
        calls=NatsRunCalls(client, js, clock),
        leases=NatsLeases(js),
        excluded=exclusion_reader(JetStreamLog(client, "EVENTS"), NatsObjectStore(js), clock),
        readings=NatsReadingBoard(client),
        config=CONFIG,
        clock=clock,
        pace=QUICK,
    )
    return CampaignRole(deps)
