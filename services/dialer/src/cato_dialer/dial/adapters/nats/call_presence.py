"""Ask the replicas for an open call, and answer such questions."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.subjects import JOB_PRESENCE
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_jetstream import TimedOut, translated

_PATIENCE_S = 1.0
_PATIENCE_AFTER_OUTAGE_S = 5.0
_OUTAGE_ECHO_S = 30.0
_UP, _OVER = b"mine", b"over"


class CallPresence:
    """A replica that has the call answers, and the one that began it. Any other replica is silent."""

    def __init__(self, client: Client, own: CallOwner) -> None:
        self._client = client
        self._own = own
        self._has_call: Callable[[str], bool] = lambda _key: False
        self._name = str(uuid4())
        self._subscription: Subscription | None = None
        self._reconnects = client.stats["reconnects"]
        self._reconnected_at = -_OUTAGE_ECHO_S

    async def open(self, has_call: Callable[[str], bool]) -> None:
        self._has_call = has_call
        self._subscription = await self._client.subscribe(JOB_PRESENCE, cb=self._answer)

    async def close(self) -> None:
        if self._subscription is not None:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await self._subscription.unsubscribe()

    def note_connection(self) -> None:
        """Notice a reconnection; to be called often enough that its time is about right."""
        if (count := self._client.stats["reconnects"]) != self._reconnects:
            self._reconnects = count
            self._reconnected_at = asyncio.get_running_loop().time()

    async def ask_owner(self, key: str, owner: CallOwner | None) -> OwnerAnswer:
        """Ask for the open call that `owner` began for the job of this key.

        Raises:
            BrokerError: if the other replicas cannot be asked.

        """
        if owner == self._own:
            # The asker's own worker for this call has ended, and the call with it.
            return OwnerAnswer.OVER
        loop = asyncio.get_running_loop()
        self.note_connection()
        # After an outage other replicas may reconnect later than this one, with their calls still up.
        recently = loop.time() - self._reconnected_at < _OUTAGE_ECHO_S
        deadline = loop.time() + (_PATIENCE_AFTER_OUTAGE_S if recently else _PATIENCE_S)
        question = json.dumps(
            {"asker": self._name, "key": key, "owner": owner.model_dump() if owner else None}
        ).encode()
        while (left := deadline - loop.time()) > 0:
            try:
                with translated("the other replicas cannot be asked"):
                    answer = await self._client.request(
                        JOB_PRESENCE, question, timeout=min(left, _PATIENCE_S)
                    )
            except TimedOut:
                continue
            else:
                return OwnerAnswer.OVER if answer.data == _OVER else OwnerAnswer.UP
        return OwnerAnswer.SILENCE

    async def _answer(self, message: Msg) -> None:
        question = json.loads(message.data)
        if question["asker"] == self._name:
            return
        if self._has_call(question["key"]):
            await message.respond(_UP)
        elif question.get("owner") == self._own.model_dump():
            await message.respond(_OVER)
