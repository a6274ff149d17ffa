"""Follow the SIP traces in the bucket `sip_traces`, and store what they record in the stream `SIP_TRACES`."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from nats.aio.client import Client

from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.sip_traces import StoredTrace, TraceBatch
from cato_contracts.subjects import SIP_TRACES, TRACE_ORDERS, sip_trace
from cato_dialer.dial.adapters.nats.bucket_follower import FollowedDocuments
from cato_dialer.dial.adapters.sip.tap import Tap, Traceable
from cato_dialer.dial.domain.sip_trace.recorder import TraceRecorder
from cato_dialer.dial.domain.station import Station
from cato_jetstream import translated
from cato_runtime.clock import Clock
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_STORE_S = 0.5
"How often what was recorded is stored: a process that dies loses no more."
_TIMEOUT_S = 2.0
_LAST_STORE_S = 3.0


class NatsSipTraces:
    """Switches the taps of the engines on while a trace runs, and off after it."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        own: CallOwner,
        *,
        engines: Sequence[Traceable],
        stations: Callable[[], Sequence[Station]],
        canonical: Callable[[str], str],
        store_s: float = _STORE_S,
    ) -> None:
        """`canonical`: the form by which numbers are compared."""
        dialer = f"{own.instance}-{own.incarnation}"
        self._js = client.jetstream(timeout=_TIMEOUT_S)
        self._clock = clock
        self._dialer = dialer
        self._engines = engines
        self._recorder = TraceRecorder(dialer, stations, canonical)
        self._store_s = store_s
        self._unstored: list[tuple[UUID, TraceBatch]] = []
        self._tap: Tap | None = None
        self._storing: asyncio.Task[None] | None = None
        self._documents = FollowedDocuments(
            client,
            TRACE_ORDERS.name,
            StoredTrace,
            self._use,
            what="SIP traces",
            undecodable="SIP trace cannot be decoded",
        )

    async def start(self) -> None:
        """Follow the traces. Raises Unavailable."""
        await self._documents.open()

    async def stop(self) -> None:
        """End the recording here, and store what there is."""
        await self._documents.close()
        await end_tasks(self._storing)
        self._recorder.use([], self._clock.now())
        self._switch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_STORE_S):
                await self._store()

    def _use(self, found: dict[str, StoredTrace]) -> None:
        self._recorder.use(found.values(), self._clock.now())
        self._switch()

    def _switch(self) -> None:
        """Make the engines pass their messages, or no more."""
        tap = self._recorder.take if self._recorder.running else None
        if (tap is None) == (self._tap is None):
            return
        log.info("SIP trace has begun" if tap is not None else "no SIP trace runs any more")
        self._tap = tap
        for engine in self._engines:
            engine.trace(tap)
        if tap is not None and (self._storing is None or self._storing.done()):
            self._storing = asyncio.create_task(self._keep_storing())

    async def _keep_storing(self) -> None:
        """Store what is recorded until no trace runs and all is stored."""
        while self._tap is not None or self._unstored:
            await asyncio.sleep(self._store_s)
            self._recorder.end_due(self._clock.now())
            self._switch()
            await self._store()

    async def _store(self) -> None:
        """Store in order; what the broker does not take is tried again at the next call."""
        self._unstored += self._recorder.batches()
        try:
            while self._unstored:
                trace_id, batch = self._unstored[0]
                with translated():
                    await self._js.publish(
                        sip_trace(trace_id, self._dialer),
                        batch.model_dump_json().encode(),
                        stream=SIP_TRACES.name,
                        timeout=_TIMEOUT_S,
                    )
                del self._unstored[0]
        except BrokerError as error:
            log.warning("SIP trace cannot be stored yet", error=str(error))
