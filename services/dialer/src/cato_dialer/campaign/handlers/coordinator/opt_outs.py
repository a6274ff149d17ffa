"""Put the numbers of those who have opted out in a run on an exclusion list.

The event of the call is in the log first, so nothing is lost if a process dies: the next driver of the run
reads all of them again. A call that has put its number on a list is known by that list, for ever: a number
that a user has taken off again is not put back.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.envelope import Envelope, decode
from cato_contracts.errors import CatoError, ConflictError, UndecodableError
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import OptOut, RunSnapshot
from cato_contracts.subjects import run_opt_out
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions.opt_out_list import opt_out_list
from cato_jetstream import Record

log = structlog.get_logger()

_RETRY_S = 1.0


class OptOuts:
    """The opt-outs of one run, in the order of the log."""

    def __init__(self, snapshot: RunSnapshot, deps: Deps) -> None:
        self._snapshot = snapshot
        self._deps = deps
        self._left: dict[UUID, Envelope[CallEvent]] = {}
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self.subjects = [run_opt_out(snapshot.run_id, "*")] if snapshot.opt_out is not None else []
        """What a follower passes to `note`; none in a run without a key."""

    def note(self, record: Record) -> None:
        """Take an event of the log."""
        try:
            envelope = Envelope[CallEvent].model_validate(decode(record.data).model_dump())
        except (UndecodableError, ValueError) as error:
            log.error("unreadable opt-out skipped", subject=record.subject, reason=str(error))  # noqa: TRY400
            return
        self._left[envelope.body.call_id] = envelope
        self._some.set()
        self._none.clear()

    async def none_left(self) -> None:
        """Wait until all that were noted are on a list."""
        await self._none.wait()

    async def carry_out(self) -> None:
        """Put the numbers on the list, without end. What fails is repeated."""
        plan = self._snapshot.opt_out
        while plan is not None:
            await self._some.wait()
            event = next(iter(self._left.values()))
            try:
                await self._exclude(plan, event)
            except CatoError as error:
                log.warning(
                    "opt-out is not on the exclusion list yet, will be retried",
                    run_id=str(self._snapshot.run_id),
                    call_id=str(event.body.call_id),
                    reason=str(error),
                )
                await asyncio.sleep(_RETRY_S)
                continue
            del self._left[event.body.call_id]
            if not self._left:
                self._some.clear()
                self._none.set()

    async def _exclude(self, plan: OptOut, event: Envelope[CallEvent]) -> None:
        """Raises: BrokerError, RefusedError."""
        deps, call = self._deps, event.body
        await deps.excluded.catch_up()
        if deps.excluded.book.knows_call(call.call_id):
            return
        list_id = await opt_out_list(deps, plan.list_id, self._snapshot.user_id, plan.list_name)
        number = deps.excluded.book.canonical(call.number)
        reason = _reason(self._snapshot, event.occurred_at)

        def decide(exclusions: ExclusionList) -> None:
            if exclusions.removed:
                raise ConflictError(f"the exclusion list {list_id} was removed meanwhile")
            exclusions.put(
                number=number,
                reason=reason,
                expires_at=None,
                call_id=call.call_id,
                timestamp=deps.clock.now(),
            )

        # Recorded first: a record that is there twice has the same id, one that is missing cannot be found.
        await deps.audit.append(self._change(list_id, event, number, reason))
        await deps.exclusion_lists.execute(list_id, f"opt-out:{call.call_id}", decide)
        log.info("number is excluded by a key", run_id=str(call.run_id), call_id=str(call.call_id))

    def _change(
        self, list_id: UUID, event: Envelope[CallEvent], number: str, reason: str
    ) -> Envelope[ChangeMade]:
        call_id = str(event.body.call_id)
        change = ChangeMade(
            user_id=self._snapshot.user_id,
            admin=False,
            operation="opt_out",
            resource_id=str(list_id),
            after={"number": number, "reason": reason, "callId": call_id},
        )
        return Envelope[ChangeMade].wrap(
            change,
            event_id=f"opt-out:{call_id}",
            occurred_at=self._deps.clock.now(),
            correlation_id=str(self._snapshot.run_id),
        )


def _reason(snapshot: RunSnapshot, at: datetime) -> str:
    return (
        f"pressed {snapshot.settings.opt_out_key} at {at:%Y-%m-%dT%H:%M:%SZ} in execution {snapshot.run_id}"
    )
