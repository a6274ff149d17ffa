"""Lists are read in confined processes, some at a time; the others wait or are refused."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from cato_contracts.errors import InvalidError, OverloadedError, TooLargeError, UnavailableError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_dialer.campaign.adapters.list_reader.confined_list_reader import ConfinedListReader
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder
from tests.support.lists.workbooks import workbook

MANY = 5_000


def order(form: ListFormat = ListFormat.JSON, limit: int = 1_000_000) -> ListOrder:
    return ListOrder(format=form, group_id=uuid4(), limit=limit)


@pytest.fixture
def upload(tmp_path: Path):
    def write(content: bytes) -> tuple[Path, Path]:
        source = tmp_path / uuid4().hex
        source.write_bytes(content)
        return source, source.with_suffix(".lines")

    return write


@pytest.fixture
def long_list() -> bytes:
    return json.dumps(
        [{"fullName": f"Person {no}", "phones": f"+7999{no:07}"} for no in range(MANY)]
    ).encode()


async def test_a_long_list_and_a_workbook_are_read_in_a_process(upload, long_list):
    reader = ConfinedListReader()
    source, target = upload(long_list)
    assert (await reader.read(source, target, order())).subscriber_count == MANY
    assert len(target.read_bytes().splitlines()) == MANY
    source, target = upload(workbook([["ФИО", "Телефон"], ["А", 84951234567.0]]))
    check = await reader.read(source, target, order(ListFormat.XLSX))
    assert [one.phones for one in check.subscribers] == [["84951234567"]]


async def test_a_workbook_that_needs_too_much_memory_is_refused_and_harms_nobody(upload, long_list):
    reader = ConfinedListReader()
    bomb = workbook([["ФИО", "Телефон"], ["А", "1"]], far={"XFD1048576": "x"})
    with pytest.raises(InvalidError, match="too much memory"):
        await reader.read(*upload(bomb), order(ListFormat.XLSX))
    assert (await reader.read(*upload(long_list), order())).subscriber_count == MANY


async def test_a_refusal_of_the_process_reaches_the_caller(upload, long_list):
    with pytest.raises(TooLargeError, match="at most 10 subscribers"):
        await ConfinedListReader().read(*upload(long_list), order(limit=10))


async def test_lists_wait_in_a_bounded_queue_and_small_ones_do_not_l10(upload, long_list):
    reader = ConfinedListReader(at_once=1, waiting=1)
    reading = [asyncio.create_task(reader.read(*upload(long_list), order())) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    started = asyncio.get_running_loop().time()
    with pytest.raises(OverloadedError, match="too many lists"):
        await reader.read(*upload(long_list), order())
    small = json.dumps([{"fullName": "A", "phones": "1"}]).encode()
    assert (await reader.read(*upload(small), order())).subscriber_count == 1
    assert asyncio.get_running_loop().time() - started < 5
    assert [check.subscriber_count for check in await asyncio.gather(*reading)] == [MANY, MANY]
    assert (await reader.read(*upload(long_list), order())).subscriber_count == MANY


async def test_a_list_is_not_read_for_nobody_l10(upload, long_list):
    reader = ConfinedListReader(at_once=1)
    now = asyncio.get_running_loop().time
    with pytest.raises(UnavailableError, match="no time"):
        await reader.read(*upload(long_list), order(), deadline=now() + 0.05)
    running = asyncio.create_task(reader.read(*upload(long_list), order()))
    await asyncio.sleep(0)
    source, target = upload(long_list)
    with pytest.raises(UnavailableError, match="no time"):
        await reader.read(source, target, order(), deadline=now() + 0.01)
    assert not target.exists()
    assert (await running).subscriber_count == MANY
