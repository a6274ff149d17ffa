"""Leases as keys that expire: held by renewing them, revision by revision."""

import asyncio
from uuid import uuid4

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import LEASES
from cato_dialer.campaign.adapters.nats_pipeline import broker_errors
from cato_dialer.campaign.ports import LeaseLostError

_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_MARGIN_S = 1.0
_REQUEST_TIMEOUT_S = 2.0


class NatsLeases:
    """Implements `ports.campaign.Leases`; `ttl_s` is how long a lease outlives its holder."""

    def __init__(self, js: JetStreamContext, *, ttl_s: int = 6) -> None:
        self._js = js
        self._ttl_s = ttl_s

    async def acquire(self, name: str) -> "NatsLease | None":
        lease = NatsLease(self._js, name, self._ttl_s)
        try:
            await lease.renew()
        except LeaseLostError:
            return None
        return lease


class NatsLease:
    """Implements `ports.campaign.Lease`.

    Time is counted from before a request is sent, and a margin goes off it: the server's clock for the key
    begins later, so the key is there for as long as we think that it is.
    """

    def __init__(self, js: JetStreamContext, name: str, ttl_s: int) -> None:
        self._js = js
        self._subject = f"$KV.{LEASES.name}.{name}"
        self._ttl_s = ttl_s
        self._revision = 0
        self._value = uuid4().hex.encode()
        self._valid_until = 0.0

    @property
    def valid_until(self) -> float:
        return self._valid_until

    async def renew(self) -> None:
        asked_at = asyncio.get_running_loop().time()
        try:
            ack = await self._js.publish(
                self._subject,
                self._value,
                timeout=_REQUEST_TIMEOUT_S,
                headers={Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(self._revision)},
                msg_ttl=self._ttl_s,
            )
        except APIError as error:
            if error.err_code not in _WRONG_LAST_SEQUENCE:
                raise BrokerError(f"a lease could not be had: {error!r}") from error
            if not await self._is_ours():
                raise LeaseLostError(f"{self._subject} is somebody else's") from error
            # A renewal whose answer got lost; the next one is due when it always is.
        except (NatsError, OSError, TimeoutError) as error:
            raise BrokerError(f"a lease could not be had: {error!r}") from error
        else:
            self._revision = ack.seq
            self._valid_until = asked_at + self._ttl_s - _MARGIN_S

    async def release(self) -> None:
        with broker_errors("a lease could not be given back"):
            # Up to our revision and no further: one that somebody else has got by now stays.
            await self._js.purge_stream(f"KV_{LEASES.name}", seq=self._revision + 1, subject=self._subject)

    async def _is_ours(self) -> bool:
        with broker_errors("a lease could not be read"):
            try:
                last = await self._js.get_last_msg(f"KV_{LEASES.name}", self._subject)
            except APIError:
                return False
        if last.data != self._value or last.seq is None:
            return False
        self._revision = last.seq
        return True
