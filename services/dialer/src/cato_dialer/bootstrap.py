"""Puts a dialer process together: the campaign role, the dial role, or both."""

from collections.abc import Collection

from cato_contracts.subjects import EVENTS, RUNS
from cato_dialer.campaign.adapters.calendars import Calendars
from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges
from cato_dialer.campaign.adapters.list_reader.confined_list_reader import ConfinedListReader
from cato_dialer.campaign.adapters.media_audio_library import MediaAudioLibrary
from cato_dialer.campaign.adapters.nats_dial_queue import NatsDialQueue
from cato_dialer.campaign.adapters.nats_leases import NatsLeases
from cato_dialer.campaign.adapters.nats_run_calls import NatsRunCalls
from cato_dialer.campaign.adapters.nats_run_states import NatsRunStates
from cato_dialer.campaign.adapters.nats_station_sights import NatsStationSights
from cato_dialer.campaign.adapters.rules.nats_contact_limits import NatsContactLimits
from cato_dialer.campaign.adapters.rules.nats_pacing_rules import NatsPacingRules
from cato_dialer.campaign.adapters.rules.nats_sip_traces import NatsSipTraces
from cato_dialer.campaign.handlers.deps import Deps as CampaignDeps
from cato_dialer.campaign.role import CampaignRole
from cato_dialer.dial_parts import dial_parts
from cato_dialer.exclusion_parts import ExclusionParts, exclusion_parts
from cato_dialer.roles import Role
from cato_dialer.service import CampaignParts, DialerService
from cato_jetstream import JetStreamLog
from cato_runtime.audit import AuditWriter
from cato_runtime.service import Build, RuntimeDeps


def build_roles(roles: Collection[Role]) -> Build:
    """Return the function that puts a dialer with these roles together."""

    async def build(runtime: RuntimeDeps) -> DialerService:
        excluded = await exclusion_parts(runtime)
        return DialerService(
            runtime.config,
            runtime.settings.drain_seconds,
            await _campaign(runtime, excluded) if Role.CAMPAIGN in roles else None,
            await dial_parts(runtime, excluded) if Role.DIAL in roles else None,
        )

    return build


async def _campaign(runtime: RuntimeDeps, excluded: ExclusionParts) -> CampaignParts:
    client, js, clock = await runtime.broker.connect(), runtime.js, runtime.clock
    role = CampaignRole(
        CampaignDeps(
            events=JetStreamLog(client, EVENTS.name),
            run_log=JetStreamLog(client, RUNS.name),
            objects=runtime.objects,
            list_reader=ConfinedListReader(),
            audio=MediaAudioLibrary(runtime.requester),
            queue=NatsDialQueue(client, js, clock),
            run_states=NatsRunStates(js),
            calls=NatsRunCalls(client, js, clock),
            leases=NatsLeases(js),
            excluded=excluded.reader,
            readings=excluded.board,
            stations=NatsStationSights(client),
            pacing=NatsPacingRules(js),
            traces=NatsSipTraces(js),
            contact_limits=NatsContactLimits(client, js),
            calendars=Calendars(),
            audit=AuditWriter(js),
            config=runtime.config,
            clock=clock,
        )
    )
    gauges = CampaignGauges(js, role.runs_in_progress, role.channels, lambda: runtime.storage.fault)
    return CampaignParts(role, gauges)
