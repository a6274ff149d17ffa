"""Open exports: their pieces, the users that may fetch them, and their expiry."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from cato_contracts.api.exports import (
    BeginCallExport,
    EndCallExport,
    ExportDialect,
    ExportFormat,
    TakeExportPiece,
)
from cato_contracts.api.history import CallFilter
from cato_contracts.errors import InvalidError, NotFoundError, UnavailableError
from cato_contracts.numbering import Numbering
from cato_contracts.requests import Actor
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.queries.exports.open_exports import OpenExports
from cato_runtime.requests import RequestContext
from services.reporting.tests.reporting_system import ACTOR, NOW

PIECE = 512 * 1024


class FakeBarrier:
    """Tables that are always up to date; `openings` is set by the test."""

    openings = 1

    async def all_stored(self):
        pass

    @asynccontextmanager
    async def consistent(self):
        yield


class FakeHistory:
    """Exports of given parts; an exception among them is raised, an event waited for."""

    def __init__(self, *parts):
        self.parts = parts
        self.begun = []

    def export_calls(self, selection, layout):
        self.begun.append((selection, layout))
        self.pages = FakePages(self.parts)
        return self.pages


class FakePages:
    def __init__(self, parts):
        self._parts = list(parts)
        self.closed = False

    async def close(self):
        self.closed = True

    async def read(self):
        if not self._parts:
            return None
        part = self._parts.pop(0)
        if isinstance(part, asyncio.Event):
            await part.wait()
            return await self.read()
        if isinstance(part, Exception):
            raise part
        return part


class World:
    def __init__(self, *parts):
        self.now = NOW
        self.barrier = FakeBarrier()
        self.history = FakeHistory(*parts)
        self.exports = OpenExports(
            self.barrier, self.history, None, None, numbering=Numbering(), time_zone="Europe/Moscow"
        )

    def _context(self, command_id=None):
        return RequestContext(command_id or str(uuid4()), "correlation", self.now)

    async def begin(self, actor=ACTOR, command_id=None, **where):
        command = BeginCallExport(actor=actor, where=CallFilter(**where), format=ExportFormat.CSV)
        return (await self.exports.begin_calls(command, self._context(command_id))).id

    async def take(self, export_id, place, actor=ACTOR):
        command = TakeExportPiece(actor=actor, id=export_id, place=place)
        return await self.exports.take(command, self._context())

    async def end(self, export_id, actor=ACTOR):
        await self.exports.end(EndCallExport(actor=actor, id=export_id), self._context())

    async def whole(self, export_id):
        pieces = [await self.take(export_id, 0)]
        while not pieces[-1].last:
            pieces.append(await self.take(export_id, len(pieces)))
        return pieces


async def test_parts_of_any_size_come_as_pieces_of_at_most_512_kib():
    parts = [b"a", b"", b"b" * (3 * PIECE), b"c" * 10]
    world = World(*parts)
    pieces = await world.whole(await world.begin())
    assert b"".join(piece.data for piece in pieces) == b"".join(parts)
    assert [len(piece.data) for piece in pieces] == [PIECE, PIECE, PIECE, 11]


@pytest.mark.parametrize("parts", [(), (b"",), (b"x" * PIECE,), (b"x" * 2 * PIECE,), (b"x" * PIECE, b"")])
async def test_the_piece_at_the_end_of_the_file_is_marked_last(parts):
    world = World(*parts)
    pieces = await world.whole(await world.begin())
    assert b"".join(piece.data for piece in pieces) == b"".join(parts)
    assert len(pieces) == max(1, len(b"".join(parts)) // PIECE)


async def test_an_export_reads_ahead_only_to_know_the_last_piece():
    world = World(*[b"x" * PIECE] * 10)
    export_id = await world.begin()
    await world.take(export_id, 0)
    pages = world.exports._open[export_id].pages
    assert len(pages._parts) == 8


async def test_many_parts_without_matching_calls_give_an_empty_piece():
    world = World(*[b""] * 10, b"found")
    pieces = await world.whole(await world.begin())
    assert [piece.data for piece in pieces] == [b"", b"found"]


async def test_only_the_last_piece_can_be_requested_again():
    world = World(b"a" * PIECE, b"b" * PIECE, b"c")
    export_id = await world.begin()
    with pytest.raises(InvalidError, match="place"):
        await world.take(export_id, 1)
    first = await world.take(export_id, 0)
    assert await world.take(export_id, 0) == first
    second = await world.take(export_id, 1)
    assert second.data == b"b" * PIECE
    for place in (0, 3):
        with pytest.raises(InvalidError, match="place"):
            await world.take(export_id, place)
    last = await world.take(export_id, 2)
    assert last.last
    assert await world.take(export_id, 2) == last
    with pytest.raises(InvalidError, match="place"):
        await world.take(export_id, 3)


async def test_a_repeated_request_during_a_read_gets_the_same_piece():
    made = asyncio.Event()
    world = World(made, b"a")
    export_id = await world.begin()
    first, second = (asyncio.create_task(world.take(export_id, 0)) for _ in range(2))
    await asyncio.sleep(0)
    made.set()
    assert await first == await second


async def test_a_failed_read_is_repeated_without_loss():
    world = World(b"a", ReadModelAwayError("away"), b"b")
    export_id = await world.begin()
    with pytest.raises(UnavailableError):
        await world.take(export_id, 0)
    assert [piece.data for piece in await world.whole(export_id)] == [b"ab"]


async def test_another_user_cannot_take_from_or_end_an_export():
    world = World(b"a")
    export_id = await world.begin()
    for other in (Actor(user_id="somebody"), Actor(user_id="somebody", admin=True)):
        with pytest.raises(NotFoundError):
            await world.take(export_id, 0, actor=other)
        await world.end(export_id, actor=other)
    assert (await world.take(export_id, 0)).data == b"a"
    with pytest.raises(NotFoundError):
        await world.take(uuid4(), 0)


async def test_an_export_has_only_calls_that_the_actor_may_see():
    world = World()
    await world.begin(number="7000")
    await world.begin(actor=Actor(user_id="boss", admin=True))
    own, every = (selection for selection, _ in world.history.begun)
    assert (own.user_id, own.where.number) == (ACTOR.user_id, "7000")
    assert every.user_id is None


async def test_a_repeated_begin_command_gives_the_same_export():
    world = World(b"a")
    one, again, other = [await world.begin(command_id=command) for command in ("1", "1", "2")]
    assert one == again != other
    assert len(world.history.begun) == 2


async def test_an_ended_export_is_not_found():
    world = World(b"a" * PIECE, b"b")
    export_id = await world.begin()
    await world.take(export_id, 0)
    await world.end(export_id)
    await world.end(export_id)
    with pytest.raises(NotFoundError):
        await world.take(export_id, 1)


async def test_an_export_is_dropped_after_an_idle_minute():
    world = World(b"a" * PIECE, b"b" * PIECE, b"c")
    taken, idle = await world.begin(), await world.begin()
    for place in range(2):
        world.now += timedelta(seconds=40)
        await world.take(taken, place)
        await world.exports.drop_idle(world.now)
    with pytest.raises(NotFoundError):
        await world.take(idle, 0)
    assert (await world.take(taken, 2)).last


async def test_an_export_is_not_idle_while_a_piece_is_being_made():
    made = asyncio.Event()
    world = World(made, b"a")
    export_id = await world.begin()
    taking = asyncio.create_task(world.take(export_id, 0))
    await asyncio.sleep(0)
    await world.exports.drop_idle(world.now + timedelta(minutes=5))
    made.set()
    assert (await taking).data == b"a"
    assert (await world.take(export_id, 0)).data == b"a"


async def test_a_ninth_open_export_is_refused():
    world = World(b"a")
    opened = [await world.begin() for _ in range(8)]
    with pytest.raises(UnavailableError, match="8 exports"):
        await world.begin()
    await world.end(opened[0])
    await world.begin()
    # A finished export does not count against the limit.
    assert (await world.take(opened[1], 0)).last
    await world.begin()
    with pytest.raises(UnavailableError):
        await world.begin()
    world.now += timedelta(minutes=2)
    await world.begin()


async def test_only_the_latest_finished_exports_are_kept():
    world = World(b"a")
    ended = []
    for _ in range(40):
        ended.append(await world.begin())
        await world.take(ended[-1], 0)
    assert len(world.exports._open) <= 33
    assert (await world.take(ended[-1], 0)).last


async def test_an_export_ends_when_the_tables_are_opened_again():
    world = World(b"a" * 2 * PIECE, b"b", b"c")
    export_id = await world.begin()
    await world.take(export_id, 0)
    world.barrier.openings += 1
    with pytest.raises(UnavailableError, match="begin the export again"):
        await world.take(export_id, 1)
    with pytest.raises(NotFoundError):
        await world.take(export_id, 1)


@pytest.mark.parametrize("way", ["end", "idle", "exchanged", "stop", "forgotten"])
async def test_what_an_export_holds_is_released_when_it_is_dropped(way):
    world = World(b"a")
    export_id = await world.begin()
    pages = world.history.pages
    match way:
        case "end":
            await world.end(export_id)
        case "idle":
            await world.exports.drop_idle(world.now + timedelta(minutes=5))
        case "exchanged":
            world.barrier.openings += 1
            with pytest.raises(UnavailableError):
                await world.take(export_id, 0)
        case "stop":
            await world.exports.close()
        case "forgotten":
            await world.take(export_id, 0)
            for _ in range(33):
                await world.take(await world.begin(), 0)
    assert pages.closed


async def test_a_request_that_waits_for_a_closed_export_is_not_found():
    made = asyncio.Event()
    world = World(made, b"a" * 3 * PIECE)
    export_id = await world.begin()
    first = asyncio.create_task(world.take(export_id, 0))
    await asyncio.sleep(0)
    ending = asyncio.create_task(world.end(export_id))
    await asyncio.sleep(0)
    second = asyncio.create_task(world.take(export_id, 1))
    made.set()
    await first
    await ending
    with pytest.raises(NotFoundError):
        await second


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ({"time_zone": "Mars/Olympus"}, "timeZone"),
        ({"time_zone": "../etc/passwd"}, "timeZone"),
        ({"dialect": ExportDialect.EXCEL, "format": ExportFormat.XLSX}, "format=csv"),
    ],
)
async def test_a_form_that_cannot_be_written_is_refused(rest, words):
    world = World()
    command = BeginCallExport(**({"actor": ACTOR, "format": ExportFormat.CSV} | rest))
    with pytest.raises(InvalidError, match=words):
        await world.exports.begin_calls(command, world._context())
