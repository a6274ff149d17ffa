"""Put the dial role together."""

from cato_contracts.subjects import LEASES
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
from cato_dialer.dial.adapters.nats.contacts.ledger import NatsContacts
from cato_dialer.dial.adapters.nats.incarnations import claim
from cato_dialer.dial.adapters.nats.job_source import NatsJobSource
from cato_dialer.dial.adapters.nats.pacing.rules import NatsPacing
from cato_dialer.dial.adapters.nats.sip_traces import NatsSipTraces
from cato_dialer.dial.adapters.nats.station_presence import NatsStationPresence
from cato_dialer.dial.adapters.pjsua2.supervisor.registrar import StationRegistrar
from cato_dialer.dial.adapters.sip.station_keepalive import StationKeepalive
from cato_dialer.dial.adapters.spool.jobs_in_hand import JobsInHand
from cato_dialer.dial.adapters.spool.unsent_events import DiskUnsent
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.handlers.publish_unsent import publish_unsent
from cato_dialer.dial.role import DialRole
from cato_dialer.exclusion_parts import ExclusionParts
from cato_dialer.service import DialParts
from cato_jetstream import Bucket
from cato_runtime.service import RuntimeDeps


async def dial_parts(runtime: RuntimeDeps, excluded: ExclusionParts) -> DialParts:
    """Return the dial role with its ports, over a connected broker."""
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
    trunk.follow(channels.capacity)
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
        contacts=NatsContacts(
            client, config.numbering.rule(), one_call_per_number=config.dialing.one_call_per_number
        ),
        exclusions=excluded.guard(incarnations.own),
        observers=(metrics, CallLog(stations)),
        await_stations=config.dialing.station_down_wait_s > 0,
    )
    presence = NatsStationPresence(
        client, lambda: deps.stations, watch, registrar, channels, resting_until=deps.resting_until
    )
    role = DialRole(deps, source, presence.changed)
    gauges = DialGauges(stations, role.dispatcher, channels, trunk, watch, deps.resting_until, registrar)
    metrics.gauges(gauges.read)
    traces = NatsSipTraces(
        client,
        clock,
        incarnations.own,
        engines=(trunk, registrar),
        stations=lambda: deps.stations,
        canonical=config.numbering.rule().canonical,
    )
    return DialParts(role, registrar, presence, metrics, traces)
