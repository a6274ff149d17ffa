"""A dialer relies on its lists only while others wait for it; on a virtual clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cato_contracts.api.rules.exclusions import Exclusion, ExclusionChoice, ExclusionScope
from cato_contracts.errors import BrokerError, UnavailableError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.messages.exclusion_commands import AddExclusionList, ExcludeNumber
from cato_contracts.messages.jobs import DialJob
from cato_dialer.exclusions.guard import KEY_TTL_S, ExclusionGuard
from services.dialer.tests.support.campaign_world import USER, Client, World, snapshot
from services.dialer.tests.support.memory_exclusions import MemoryReadingBoard, exclusion_reader
from tests.support.virtual_time import LoopClock, run_virtually

NUMBER = "73437200041"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Board:
    """A board that can be cut off."""

    def __init__(self, board: MemoryReadingBoard) -> None:
        self._board = board
        self.cut_off = False

    async def announce(self, position: int, ttl_s: int) -> None:
        if self.cut_off:
            raise BrokerError("cut off")
        await self._board.announce(position, ttl_s)

    async def withdraw(self) -> None:
        await self._board.withdraw()

    async def positions(self) -> list[int]:
        return await self._board.positions()


class Stage:
    """A campaign role, and one dialer with its guard."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = LoopClock(START)
        self.world.clock = self.clock  # type: ignore[assignment]
        self.board = Board(self.world.readings.of("dialer"))
        reader = exclusion_reader(self.world.events, self.world.objects, self.clock)
        self.guard = ExclusionGuard(reader, self.board, self.clock)

    async def add_list(self, client: Client) -> str:
        upload = await client.upload(b'[{"number": "+79990000000"}]')
        added = await client.ask(
            AddExclusionList(
                actor=USER, name="x", scope=ExclusionScope.USER, format=ListFormat.JSON, upload=upload
            )
        )
        return str(added.id)

    async def exclude(self, client: Client, list_id: str) -> None:
        await client.ask(ExcludeNumber(actor=USER, id=list_id, exclusion=Exclusion(number=NUMBER)))


def job() -> DialJob:
    taken = snapshot()
    return DialJob(
        run_id=uuid4(),
        wave=1,
        subscriber={"no": 0, "id": uuid4(), "full_name": "A", "phones": ["776413", "83437200041"]},
        settings=taken.settings,
        time_zone="UTC",
        prompt=taken.prompt,
        priority=0,
        expires_at=None,
        exclusions=ExclusionChoice(user_id="user"),
    )


def elapsed() -> float:
    return asyncio.get_running_loop().time()


def test_an_excluded_number_is_known_in_all_its_forms_when_the_request_is_answered():
    async def main() -> None:
        stage = Stage()
        async with stage.world.running() as client:
            await stage.guard.open()
            assert stage.guard.excluded(job()) == frozenset()
            list_id = await stage.add_list(client)
            await stage.exclude(client, list_id)
            assert stage.guard.excluded(job()) == {1}
            assert elapsed() < 1
            await stage.guard.close()

    run_virtually(main())


def test_the_answer_waits_for_a_call_that_may_still_be_sent():
    async def main() -> None:
        stage = Stage()
        async with stage.world.running() as client:
            await stage.guard.open()
            list_id = await stage.add_list(client)
            began = elapsed()
            stage.guard.ordered(job(), 0, stage.clock.now() + timedelta(seconds=9))
            stage.guard.ordered(job(), 1, stage.clock.now() + timedelta(seconds=2))
            await stage.exclude(client, list_id)
            assert 2 <= elapsed() - began < 3
            await stage.guard.close()

    run_virtually(main())


def test_a_dialer_that_is_cut_off_starts_no_call_before_the_answer_is_given():
    async def main() -> None:
        stage = Stage()
        async with stage.world.running() as client:
            await stage.guard.open()
            list_id = await stage.add_list(client)
            stage.board.cut_off = True
            answer = asyncio.create_task(stage.exclude(client, list_id))
            while stage.guard.usable_until() is not None:
                assert not answer.done()
                await asyncio.sleep(0.1)
            await answer
            stage.board.cut_off = False
            await asyncio.sleep(1)
            assert stage.guard.usable_until() is not None
            assert stage.guard.excluded(job()) == {1}
            await stage.guard.close()

    run_virtually(main())


def test_a_call_may_rely_on_the_lists_for_less_time_than_others_wait():
    async def main() -> None:
        stage = Stage()
        async with stage.world.running():
            await stage.guard.open()
            until = stage.guard.usable_until()
            assert until is not None
            assert until < stage.clock.now() + timedelta(seconds=KEY_TTL_S)
            await stage.guard.close()
            assert stage.guard.usable_until() is None

    run_virtually(main())


def test_a_request_that_no_dialer_confirms_says_that_it_is_stored():
    async def main() -> None:
        stage = Stage()
        async with stage.world.running() as client:
            list_id = await stage.add_list(client)
            await stage.board.announce(0, 60)
            with pytest.raises(UnavailableError, match="stored"):
                await stage.exclude(client, list_id)
            await stage.guard.open()
            assert stage.guard.excluded(job()) == {1}
            await stage.guard.close()

    run_virtually(main())
