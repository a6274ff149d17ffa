"""The answer ledger in a key-value bucket of JetStream."""

from nats.js import JetStreamContext

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import IDEMPOTENCY
from cato_gateway.ports import LedgerEntry
from cato_jetstream import Bucket, Conflict

_KEPT_S = 24 * 60 * 60
_ATTEMPTS = 5


class NatsAnswerLedger:
    """Each key expires by itself; the first request that writes it has reserved it."""

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = Bucket(js, IDEMPOTENCY.name)

    async def reserve(self, key: str, entry: LedgerEntry) -> LedgerEntry:
        for _ in range(_ATTEMPTS):
            found = await self._bucket.read(key)
            if found.value is not None:
                standing = LedgerEntry.model_validate_json(found.value)
                if not standing.free:
                    return standing
            try:
                await self._bucket.write(key, _encode(entry), after=found.revision, ttl_s=_KEPT_S)
            except Conflict:
                continue
            return entry
        raise BrokerError("the answer ledger is contended")

    async def settle(self, key: str, entry: LedgerEntry) -> None:
        await self._bucket.put(key, _encode(entry), ttl_s=_KEPT_S)


def _encode(entry: LedgerEntry) -> bytes:
    return entry.model_dump_json().encode()
