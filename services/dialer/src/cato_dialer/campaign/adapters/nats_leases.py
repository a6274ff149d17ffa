"""The leases of the runs in the bucket `leases`."""

from uuid import uuid4

from nats.js import JetStreamContext

from cato_contracts.subjects import LEASES
from cato_dialer.campaign.ports import LeaseLostError
from cato_jetstream import Bucket, Lease

_MARGIN_S = 1.0


class NatsLeases:
    """Implements `ports.Leases`; `ttl_s` is how long a lease outlives its holder."""

    def __init__(self, js: JetStreamContext, *, ttl_s: int = 6) -> None:
        self._bucket = Bucket(js, LEASES.name)
        self._ttl_s = ttl_s

    async def acquire(self, name: str) -> "NatsLease | None":
        lease = Lease(self._bucket, name, uuid4().hex.encode(), ttl_s=self._ttl_s, margin_s=_MARGIN_S)
        return NatsLease(lease) if await lease.take() else None


class NatsLease:
    """Implements `ports.Lease`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    @property
    def valid_until(self) -> float:
        return self._lease.valid_until

    async def renew(self) -> None:
        if not await self._lease.renew():
            raise LeaseLostError(f"the lease {self._lease.key} has another holder")

    async def release(self) -> None:
        await self._lease.release()
