"""Numbers that are put on an exclusion list while a run calls and its processes die."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, operations

_CHANCE = 0.4
_MOST = 8
_FIRST_S, _LAST_S = 0.5, 12.0
_OF_NOBODY = "99999999999"


@dataclass(frozen=True, slots=True)
class Excluded:
    """A number, and when the request to exclude it is sent, in seconds from the start of the run."""

    at_s: float
    number: str

    def __str__(self) -> str:
        return f"{self.at_s:.1f} s: exclude {self.number}"


def draw_exclusions(seed: int, phones: Sequence[Sequence[str]]) -> tuple[Excluded, ...]:
    """Return the exclusions of a seed: none for most seeds."""
    chance = random.Random(f"{seed} exclusions")
    if chance.random() >= _CHANCE:
        return ()
    numbers = [number for of_person in phones for number in of_person]
    chosen = chance.sample(numbers, chance.randint(1, min(_MOST, len(numbers))))
    drawn = (Excluded(chance.uniform(_FIRST_S, _LAST_S), number) for number in chosen)
    return tuple(sorted(drawn, key=lambda each: each.at_s))


async def add_list(client: AsyncClient) -> UUID:
    """Add an exclusion list with nobody of the run, and return its id."""
    lines = f"number\n{_OF_NOBODY}\n".encode()
    return (await client.do(operations.add_exclusion_list_csv("asked not to be called", lines))).id


async def exclude_all(
    client: AsyncClient,
    list_id: UUID,
    exclusions: Sequence[Excluded],
    began: float,
    over: asyncio.Event,
    answered_ms: dict[str, float],
) -> None:
    """Exclude the numbers until the run is over, and note when each request was answered (Unix ms)."""

    async def exclude(each: Excluded) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, began + each.at_s - time.monotonic())):
                await over.wait()
        if not over.is_set():
            await client.do(operations.exclude_number(list_id, each.number))
            answered_ms[each.number] = time.time() * 1000

    async with asyncio.TaskGroup() as group:
        for each in exclusions:
            group.create_task(exclude(each))
