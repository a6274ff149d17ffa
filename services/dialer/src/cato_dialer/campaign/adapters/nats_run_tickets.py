"""The tickets of runs in their key-value bucket."""

from uuid import UUID

from nats.js import JetStreamContext
from nats.js.errors import KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from cato_contracts.jobs import RunTicket
from cato_contracts.subjects import RUN_TICKETS
from cato_dialer.campaign.adapters.nats_pipeline import broker_errors
from cato_dialer.campaign.ports import LeaseLostError


class NatsRunTickets:
    """Implements `ports.campaign.RunTickets`.

    A coordinator that was frozen and comes to itself again cannot undo what its successor wrote: that one has
    written once when it took over, so the revision that the frozen one knows is no longer the last.
    """

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._bucket: KeyValue | None = None
        self._revisions: dict[UUID, int] = {}

    async def put(self, ticket: RunTicket) -> None:
        key, value = str(ticket.run_id), ticket.model_dump_json().encode()
        with broker_errors("the ticket of a run could not be written"):
            bucket = await self._kv()
            known = self._revisions.pop(ticket.run_id, None)
            try:
                revision = await (
                    bucket.put(key, value) if known is None else bucket.update(key, value, last=known)
                )
            except KeyWrongLastSequenceError as error:
                raise LeaseLostError(f"the ticket of run {key} has been written by somebody else") from error
        self._revisions[ticket.run_id] = revision

    async def remove(self, run_id: UUID) -> None:
        self._revisions.pop(run_id, None)
        with broker_errors("the ticket of a run could not be removed"):
            await (await self._kv()).delete(str(run_id))

    async def _kv(self) -> KeyValue:
        if self._bucket is None:
            self._bucket = await self._js.key_value(RUN_TICKETS.name)
        return self._bucket
