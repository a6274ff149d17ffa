"""Puts a dialer process together: the campaign role, the dial role, or both."""

from collections.abc import Collection

from cato_contracts.subjects import EVENTS, LEASES, RUNS
from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges
from cato_dialer.campaign.adapters.list_reader.confined_list_reader import ConfinedListReader
from cato_dialer.campaign.adapters.media_audio_library import MediaAudioLibrary
from cato_dialer.campaign.adapters.nats_dial_queue import NatsDialQueue
from cato_dialer.campaign.adapters.nats_leases import NatsLeases
from cato_dialer.campaign.adapters.nats_pacing_rules import NatsPacingRules
from cato_dialer.campaign.adapters.nats_run_calls import NatsRunCalls
from cato_dialer.campaign.adapters.nats_run_states import NatsRunStates
from cato_dialer.campaign.adapters.nats_station_sights import NatsStationSights
from cato_dialer.campaign.handlers.deps import Deps as CampaignDeps
from cato_dialer.campaign.role import CampaignRole
from cato_dialer.config_change import check_stations
from cato_dialer.dial.adapters.call_log import CallLog
from cato_dialer.dial.adapters.call_metrics import CallMetrics
from cato_dialer.dial.adapters.configured_stations import licence_of, stations_of
from cato_dialer.dial.adapters.dial_gauges import DialGauges
from cato_dialer.dial.adapters.disk_prompt_cache import DiskPromptCache
from cato_dialer.dial.adapters.engine_choice import engines_for
from cato_dialer.dial.adapters.instance_name import former_calls_ended, take_name
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.adapters.nats.incarnations import claim
from cato_dialer.dial.adapters.nats.job_source import NatsJobSource
from cato_dialer.dial.adapters.nats.pacing.rules import NatsPacing
from cato_dialer.dial.adapters.nats.station_presence import NatsStationPresence
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_dialer.dial.adapters.spool.jobs_in_hand import JobsInHand
from cato_dialer.dial.adapters.spool.unsent_events import DiskUnsent
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.handlers.publish_unsent import publish_unsent
from cato_dialer.dial.role import DialRole
from cato_dialer.roles import Role
from cato_dialer.service import CampaignParts, DialerService, DialParts
from cato_jetstream import Bucket, JetStreamLog
from cato_runtime.service import Build, RuntimeDeps


def build_roles(roles: Collection[Role]) -> Build:
    """Return the function that puts a dialer with these roles together."""

    async def build(runtime: RuntimeDeps) -> DialerService:
        return DialerService(
            runtime.config,
            runtime.settings.drain_seconds,
            await _campaign(runtime) if Role.CAMPAIGN in roles else None,
            await _dial(runtime) if Role.DIAL in roles else None,
        )

    return build


async def _campaign(runtime: RuntimeDeps) -> CampaignParts:
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
            stations=NatsStationSights(client),
            pacing=NatsPacingRules(js),
            config=runtime.config,
            clock=clock,
        )
    )
    gauges = CampaignGauges(js, role.runs_in_progress, role.channels, lambda: runtime.storage.fault)
    return CampaignParts(role, gauges)


async def _dial(runtime: RuntimeDeps) -> DialParts:
    client = await runtime.broker.connect()
    config, clock = runtime.config, runtime.clock
    check_stations(config.stations)
    stations = stations_of(config.stations)
    metrics = CallMetrics(stations)
    leases = Bucket(client.jetstream(), LEASES.name)
    registrar = StationRegistrar(config.dialing, stations, leases)
    name = take_name(runtime.settings.data_dir / "dialers")
    kept = runtime.settings.data_dir / "unsent" / name
    journal, unsent = NatsCallJournal(client), DiskUnsent(kept / "events")
    await former_calls_ended(kept / "calls")
    await publish_unsent(journal, unsent)
    incarnations = await claim(client, leases, name)
    source = NatsJobSource(client, incarnations.own, JobsInHand(kept / "jobs"))
    trunk, pacing = engines_for(config, str(kept / "calls")), NatsPacing(client, clock)
    channels = NatsChannelSource(client, stations, licence_of(config), clock, name=name, paced=pacing.bounds)
    watch = StationKeepalive(config.dialing.bind_address, came_up=registrar.renew)
    deps = Deps(
        stations=stations,
        trunk=trunk,
        journal=journal,
        channels=channels,
        prompts=DiskPromptCache(runtime.objects, runtime.settings.data_dir / "prompts"),
        incarnations=incarnations,
        clock=clock,
        run_states=source.run_states,
        unsent=unsent,
        takeover=TakeoverRule(config.dialing.takeover),
        watch=watch,
        pacing=pacing,
        observers=(metrics, CallLog(stations)),
        await_stations=config.dialing.station_down_wait_s > 0,
    )
    presence = NatsStationPresence(
        client, lambda: deps.stations, watch, registrar, channels, resting_until=deps.resting_until
    )
    role = DialRole(deps, source, presence.changed)
    gauges = DialGauges(stations, role.dispatcher, channels, trunk, watch, deps.resting_until, registrar)
    metrics.gauges(gauges.read)
    return DialParts(role, registrar, presence, metrics)
