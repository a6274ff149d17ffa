"""The answer ledger in a dictionary, for tests."""

from cato_gateway.ports import LedgerEntry


class MemoryAnswerLedger:
    def __init__(self) -> None:
        self.entries: dict[str, LedgerEntry] = {}

    async def reserve(self, key: str, entry: LedgerEntry) -> LedgerEntry:
        standing = self.entries.get(key)
        if standing is None or standing.free:
            standing = self.entries[key] = entry
        return standing

    async def settle(self, key: str, entry: LedgerEntry) -> None:
        self.entries[key] = entry
