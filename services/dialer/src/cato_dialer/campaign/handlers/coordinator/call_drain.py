"""The calls of a run that ends: whether one is up or can still begin."""

import asyncio

import structlog

from cato_contracts.messages.runs import RunSnapshot
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.handlers.deps import Deps

log = structlog.get_logger()

_LONGEST_SETUP_S = 600.0
"""More than a station may allow from INVITE to ringing and from ringing to the answer."""


class CallDrain:
    """Finds out when the calls of a run are over, from the moment that no call may be started.

    `rejects_starts`: subscribers may be left without a result, as in a run that is stopped. Then the starts
    of calls that a silent dial replica may have on their way are rejected. A result does that otherwise.
    """

    def __init__(
        self, snapshot: RunSnapshot, progress: Progress, deps: Deps, *, rejects_starts: bool = False
    ) -> None:
        self._run_id = snapshot.run_id
        settings = snapshot.settings
        self._longest_call_s = settings.max_call_duration_s + settings.max_answer_delay_s + _LONGEST_SETUP_S
        self._deps = deps
        self._progress = progress
        self._rejects_starts = rejects_starts
        self._since: float | None = None
        self._up: frozenset[int] | None = None
        self.drained = False
        """No call of the run is up and none can begin any more."""

    async def check(self) -> None:
        """Update `drained`. Raises BrokerError."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        waited = now - self._since
        if await self._deps.queue.count(self._run_id) == 0:
            self.drained = True
        elif waited >= self._deps.pace.settle_s:
            # Until then a dial replica may start a call, because it has not read the new dispatch state.
            self._up = await self._deps.calls.up(self._run_id, self._up)
            if not self._up and self._rejects_starts:
                self._up = await self._reject_starts()
            self.drained = not self._up
        if not self.drained and waited >= self._longest_call_s:
            log.error("calls without an end are ignored", run_id=str(self._run_id), calls=len(self._up or ()))
            self.drained = True

    async def _reject_starts(self) -> frozenset[int]:
        """Return the subscribers to whom a call has begun meanwhile."""
        in_hand = await self._deps.queue.in_hand(self._run_id)
        last = {no: self._progress.head(no) for no in in_hand if not self._progress.is_settled(no)}
        return await self._deps.calls.reject_starts(self._run_id, last)
