"""Tasks that are ended do end."""

import asyncio

from structlog.testing import capture_logs

from cato_runtime.process.tasks import end_tasks


async def for_ever():
    await asyncio.Event().wait()


async def test_tasks_are_cancelled_and_waited_for():
    tasks = [asyncio.create_task(for_ever()) for _ in range(3)]
    await end_tasks(*tasks, None)
    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_loses_a_cancellation_gets_another():
    lost = 0

    async def loses_one():
        nonlocal lost
        try:
            await for_ever()
        except asyncio.CancelledError:
            lost += 1
        await for_ever()

    task = asyncio.create_task(loses_one())
    await asyncio.sleep(0)
    await end_tasks(task)
    assert lost == 1
    assert task.cancelled()


async def test_a_task_that_fails_meanwhile_is_told_of():
    async def fails():
        try:
            await for_ever()
        finally:
            raise ValueError("in the middle of it")

    task = asyncio.create_task(fails(), name="fragile")
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await end_tasks(task)
    assert [(entry["task"], "middle" in entry["error"]) for entry in logs] == [("fragile", True)]


async def test_tasks_end_though_their_end_is_cancelled():
    begun = asyncio.Event()

    async def takes_its_time():
        try:
            await for_ever()
        finally:
            begun.set()
            for _ in range(3):
                await asyncio.sleep(0)

    task = asyncio.create_task(takes_its_time())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_tasks(task))
    await begun.wait()
    ending.cancel()
    await asyncio.wait({ending})
    assert ending.cancelled()
    assert task.done()
