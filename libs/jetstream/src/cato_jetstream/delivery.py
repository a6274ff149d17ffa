"""One delivered message of a work queue, and the end of its delivery."""

from collections.abc import Awaitable
from typing import Any

import structlog
from nats.aio.msg import Msg

from cato_contracts.errors import BrokerError, PermanentError, TemporaryError
from cato_jetstream.dead_letters import DeadLetters, Origin
from cato_jetstream.translation import translated

log = structlog.get_logger()

_FAULT_DELAY_S = 10.0


class Delivery:
    """A message that is acknowledged, given back, or kept as a dead letter.

    An acknowledgement that is lost is only logged: the broker then delivers the message again, so a handler
    looks in the log for work that was done already.
    """

    def __init__(self, message: Msg, dead_letters: DeadLetters) -> None:
        self._message = message
        self._dead_letters = dead_letters

    @property
    def subject(self) -> str:
        return self._message.subject

    @property
    def redelivered(self) -> bool:
        """Whether the message was delivered before."""
        return self._message.metadata.num_delivered > 1

    @property
    def data(self) -> bytes:
        return self._message.data

    async def done(self) -> None:
        """Acknowledge the message: it was processed."""
        await self._acknowledge(self._message.ack())

    async def give_back(self, delay_s: float) -> None:
        """Have the message delivered again after a delay."""
        await self._acknowledge(self._message.nak(delay_s))

    async def extend(self) -> None:
        """Tell the broker that the message is still being processed."""
        await self._acknowledge(self._message.in_progress())

    async def fail(self, error: Exception) -> None:
        """End the delivery after an error: a permanent one makes a dead letter, any other another attempt."""
        if not isinstance(error, PermanentError):
            await self.give_back(error.delay_s if isinstance(error, TemporaryError) else _FAULT_DELAY_S)
            return
        log.error("message became a dead letter", subject=self.subject, reason=str(error))
        metadata = self._message.metadata
        origin = Origin(self.subject, metadata.stream, metadata.sequence.stream)
        try:
            await self._dead_letters.publish(self.data, origin, str(error))
        except BrokerError as unavailable:
            log.warning("dead letter could not be kept", subject=self.subject, error=str(unavailable))
            await self.give_back(unavailable.delay_s)
        else:
            await self._acknowledge(self._message.term())

    async def _acknowledge(self, sending: Awaitable[Any]) -> None:
        try:
            with translated():
                await sending
        except BrokerError as error:
            log.warning("acknowledgement could not be sent", subject=self.subject, error=str(error))
