"""Write changes to the audit log in its stream of JetStream."""

from nats.js import JetStreamContext
from nats.js.api import Header

from cato_contracts.envelope import Envelope
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.subjects import AUDIT, AUDIT_CHANGES
from cato_jetstream import translated

_TIMEOUT_S = 5.0


class AuditWriter:
    """Appends changes; a change that is appended again is stored once."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def append(self, change: Envelope[ChangeMade]) -> None:
        """Append a change. Raises BrokerError."""
        with translated():
            await self._js.publish(
                AUDIT_CHANGES,
                change.encode(),
                stream=AUDIT.name,
                timeout=_TIMEOUT_S,
                headers={Header.MSG_ID.value: change.event_id},
            )
