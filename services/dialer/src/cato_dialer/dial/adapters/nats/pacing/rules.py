"""Follow the pacing rules in the bucket `pacing`, and reserve the starts that they allow."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from nats.aio.client import Client

from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.subjects import LEASES, PACING_RULES
from cato_dialer.dial.adapters.nats.bucket_follower import FollowedDocuments
from cato_dialer.dial.adapters.nats.pacing.next_starts import NextStarts
from cato_dialer.dial.domain.capacity.start_times import Start
from cato_dialer.dial.domain.permission.pacing import AHEAD, CallBound, HeldJobs, Pace, PaceTable, paced_start
from cato_dialer.dial.ports.dial import StartSlot
from cato_dialer.dial.ports.pacing import HeldBackError
from cato_jetstream import Bucket
from cato_runtime.clock import Clock

log = structlog.get_logger()

_TIMEOUT_S = 2.0


class NatsPacing:
    """Implements `ports.pacing.Pacing`. A rule's next start is `start.<rule>` in the bucket `leases`."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._clock = clock
        bucket = Bucket(client.jetstream(timeout=_TIMEOUT_S), LEASES.name, timeout_s=_TIMEOUT_S)
        self._starts = NextStarts(bucket)
        self._rules: dict[str, PacingRule] = {}
        self._table = PaceTable()
        self._held: defaultdict[str, HeldJobs] = defaultdict(HeldJobs)
        self._documents = FollowedDocuments(
            client,
            PACING_RULES.name,
            PacingRule,
            self._use,
            what="pacing rules",
            undecodable="pacing rule cannot be decoded",
        )

    async def open(self) -> None:
        await self._documents.open()

    async def close(self) -> None:
        await self._documents.close()

    def pace_for(self, number: str, station_id: UUID) -> Pace | None:
        return self._table.pace_for(number, station_id)

    def bounds(self) -> list[CallBound]:
        """Return the bounds on simultaneous calls of the present rules."""
        return [pace.bound for pace in self._table.paces if pace.bound is not None]

    async def reserve(self, pace: Pace, not_before: datetime, within: timedelta = AHEAD) -> StartSlot:
        if (step_ms := pace.step_ms) is None:
            return StartSlot(not_before, None, delayed=False)

        def choose(next_free: int | None) -> Start:
            now = self._clock.now()
            earliest = max(now, not_before)
            start = paced_start(step_ms, earliest, next_free)
            if start.at - earliest > within:
                raise HeldBackError(self._held_for(pace.key, start.at - now, step_ms))
            return start

        start = await self._starts.reserve(pace.key, choose)
        return StartSlot(start.at, start.until, start.delayed)

    def _held_for(self, key: str, wait: timedelta, step_ms: int) -> float:
        now = asyncio.get_running_loop().time()
        first_s = max(0.0, (wait - AHEAD / 2).total_seconds())
        return self._held[key].hold(now, first_s=first_s, step_s=step_ms / 1000)

    def _use(self, rules: dict[str, PacingRule]) -> None:
        if rules != self._rules:
            self._rules = dict(rules)
            self._table = PaceTable(self._rules.values())
            log.info("pacing rules have changed", rules=sorted(rule.name for rule in self._rules.values()))
