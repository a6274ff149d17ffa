"""What no reference counting frees."""

import asyncio
import gc
import weakref

from cato_runtime.process.garbage import collect_each_minute
from cato_runtime.process.tasks import end_tasks


class Node:
    """Refers to itself, as the task of a run does that holds its own error."""

    def __init__(self) -> None:
        self.itself = self


async def test_cycles_are_freed_without_new_objects():
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    collector = asyncio.create_task(collect_each_minute(0.01))
    try:
        freed = asyncio.Event()
        node = Node()
        weakref.finalize(node, freed.set)
        gc.collect(1)  # it is old: the young generations are collected without it
        del node
        async with asyncio.timeout(30):
            await freed.wait()
    finally:
        gc.set_threshold(*thresholds)
        await end_tasks(collector)
