"""The numbers of one job: which have had their calls, and the claim of each call."""

from datetime import datetime
from uuid import UUID

from cato_contracts.messages.jobs import DialJob
from cato_dialer.dial.domain.call.outcome import CANCELLED
from cato_dialer.dial.domain.subscriber.past_call import PastCall
from cato_dialer.dial.handlers.contacts.number_claims import LimitReachedError, NumberClaim
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.ports.contacts import StoredRecord


class JobContacts:
    """Asked by the worker of the job before each call.

    The record of a number is read before the call, and claimed before the call is on record, where another
    call to the number is likely or a limit concerns it. Otherwise the claim is written together with the
    first event of the call: it costs no time then, and a refused one has the call cancelled.
    """

    def __init__(self, deps: Deps, job: DialJob, *, redelivered: bool) -> None:
        self._deps = deps
        self._job = job
        self._redelivered = redelivered
        self._known: StoredRecord | None = None
        self.limited: frozenset[int] = frozenset()
        """The indexes of numbers that have had as many calls as a limit allows."""

    @property
    def claims_first(self) -> bool:
        """Whether the claim stands before the call is on record."""
        return self._known is not None

    async def may_call(self, phone_index: int, last_call: PastCall | None) -> bool:
        """Return whether the number may be called now, False if it has had its calls.

        Raises:
            HeldBackError: if it is to be called later.
            BrokerError: if the broker does not answer.

        """
        claims, job, self._known = self._deps.claims, self._job, None
        if not claims.concern(job):
            return True
        number = job.subscriber.phones[phone_index]
        await claims.check_here(number)
        if not (self._contended or (last_call is not None and last_call.reason == CANCELLED)):
            return True
        try:
            self._known = await claims.check(job, number)
        except LimitReachedError:
            self.reached(phone_index)
            return False
        return True

    def reached(self, phone_index: int) -> None:
        """Note that a number has had its calls."""
        self.limited |= {phone_index}

    def begin(
        self, phone_index: int, call_id: UUID, *, start_by: datetime, ends_by: datetime
    ) -> NumberClaim | None:
        """Begin to claim the number of a call; None if numbers are not claimed. Raises HeldBackError."""
        if not self._deps.claims.concern(self._job):
            return None
        number = self._job.subscriber.phones[phone_index]
        return self._deps.claims.begin(
            self._job, number, call_id, start_by=start_by, ends_by=ends_by, known=self._known
        )

    @property
    def _contended(self) -> bool:
        job, others = self._job, self._deps.run_states().keys() - {self._job.run_id}
        limits = self._deps.claims.contacts.limits_for(job)
        return self._redelivered or job.subscriber.shared or bool(others or limits)
