"""DNS records for tests."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class FakeLookups:
    records: list[tuple[str, int]] = field(default_factory=list)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    failing: bool = False
    asked: list[str] = field(default_factory=list)

    async def services(self, name: str, transport: str) -> list[tuple[str, int]]:
        self.asked.append(f"{transport} {name}")
        return [] if self.failing else self.records

    async def addresses(self, host: str) -> list[str]:
        self.asked.append(host)
        await asyncio.sleep(0)
        if self.failing or host not in self.hosts:
            raise OSError(f"{host} is not known")
        return self.hosts[host]
