"""Metrics that a campaign replica shows: the runs in progress, and what waits at the broker.

Every replica shows the same values, so they are joined by their maximum, not by their sum.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from nats.js import JetStreamContext
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import DIAL, READ_MODEL_CONSUMER, RUNS, STREAMS
from cato_jetstream import NotFound, translated
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_INTERVAL_S = 5.0
_VALID_S = 30.0
"""Values that were read longer ago than this are not shown: they would say that all is well."""


@dataclass(frozen=True, slots=True)
class BrokerState:
    """Messages and bytes by stream, and the messages that the read model has not taken yet."""

    streams: dict[str, tuple[int, int]]
    pending: int | None


class CampaignGauges(Collector):
    """Reads the broker every few seconds while it runs; the runs at each scrape."""

    def __init__(
        self,
        js: JetStreamContext,
        runs_in_progress: Callable[[], int],
        channels: Callable[[], int],
        storage_fault: Callable[[], str | None] = lambda: None,
        interval_s: float = _INTERVAL_S,
    ) -> None:
        """`channels`: of all stations that respond, within the licence.

        `storage_fault`: why the broker stores no messages, None if it does.
        """
        self._js = js
        self._runs_in_progress = runs_in_progress
        self._channels = channels
        self._interval_s = interval_s
        self._storage_fault = storage_fault
        self._state: BrokerState | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._reading = asyncio.create_task(self._read_always(), name="broker gauges")

    async def stop(self) -> None:
        await end_tasks(self._reading)

    def calls_wanted(self) -> int | None:
        """Return how many calls at once the dialers can be used for: as many as jobs, or as channels.

        None: the number of jobs is not known now.
        """
        state = self._fresh_state()
        return None if state is None else min(state.streams[DIAL.name][0], self._channels())

    def _fresh_state(self) -> BrokerState | None:
        fresh = self._state is not None and asyncio.get_running_loop().time() - self._read_at < _VALID_S
        return self._state if fresh else None

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "cato_runs_in_progress", "Runs that have been started and are not over.", self._runs_in_progress()
        )
        yield GaugeMetricFamily(
            "cato_runs_stalled",
            "Runs in progress that stand still because the broker stores no messages.",
            0 if self._storage_fault() is None else self._runs_in_progress(),
        )
        messages = GaugeMetricFamily(
            "cato_stream_messages",
            "Messages in a stream of the broker: DIAL has the jobs, DEAD the dead letters.",
            labels=["stream"],
        )
        size = GaugeMetricFamily("cato_stream_bytes", "Bytes in a stream of the broker.", labels=["stream"])
        pending = GaugeMetricFamily(
            "cato_consumer_pending_messages",
            "Messages of a stream that its consumer has not taken yet.",
            labels=["stream", "consumer"],
        )
        state = self._fresh_state()
        if state is not None:
            for stream, (count, in_bytes) in state.streams.items():
                messages.add_metric([stream], count)
                size.add_metric([stream], in_bytes)
            if state.pending is not None:
                pending.add_metric([RUNS.name, READ_MODEL_CONSUMER], state.pending)
        yield from (messages, size, pending)

    async def _read_always(self) -> None:
        failed = False
        while True:
            try:
                self._state = await self._read()
                self._read_at = asyncio.get_running_loop().time()
                failed = False
            except BrokerError as error:
                if not failed:
                    log.warning("state of the broker cannot be read for the metrics", error=str(error))
                failed = True
            await asyncio.sleep(self._interval_s)

    async def _read(self) -> BrokerState:
        streams = {}
        for spec in STREAMS:
            with translated(f"stream {spec.name} cannot be read"):
                info = await self._js.stream_info(spec.name)
            streams[spec.name] = (info.state.messages, info.state.bytes)
        try:
            with translated("consumer of the read model cannot be read"):
                consumer = await self._js.consumer_info(RUNS.name, READ_MODEL_CONSUMER)
        except NotFound:
            return BrokerState(streams, None)
        return BrokerState(streams, consumer.num_pending)
