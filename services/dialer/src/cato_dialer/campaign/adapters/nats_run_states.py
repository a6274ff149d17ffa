"""The dispatch states of the runs in their key-value bucket."""

from uuid import UUID

from nats.js import JetStreamContext

from cato_contracts.messages.jobs import RunDispatchState
from cato_contracts.subjects import RUN_DISPATCH_STATES
from cato_dialer.campaign.ports import LeaseLostError
from cato_jetstream import Bucket, Conflict


class NatsRunStates:
    """Implements `ports.RunStates`.

    A coordinator that was frozen cannot overwrite the state of its successor: the successor has written once
    at its takeover, so the revision that the frozen coordinator knows is no longer the last.
    """

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = Bucket(js, RUN_DISPATCH_STATES.name)
        self._revisions: dict[UUID, int] = {}

    async def put(self, state: RunDispatchState) -> None:
        key, value = str(state.run_id), state.model_dump_json().encode()
        known = self._revisions.pop(state.run_id, None)
        if known is None:
            revision = await self._bucket.put(key, value)
        else:
            try:
                revision = (await self._bucket.write(key, value, after=known)).sequence
            except Conflict as error:
                raise LeaseLostError(
                    f"the dispatch state of run {key} has another writer: {error}"
                ) from error
        self._revisions[state.run_id] = revision

    async def remove(self, run_id: UUID) -> None:
        self._revisions.pop(run_id, None)
        await self._bucket.remove(str(run_id))
