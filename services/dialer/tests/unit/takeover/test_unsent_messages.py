"""A dialer that is cut off keeps its messages; its next start writes those that continue the log."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.handlers.journal_writer import JournalWriter
from cato_dialer.dial.handlers.publish_unsent import publish_unsent
from cato_dialer.dial.ports.dial import JournalEntry, SubscriberLog
from cato_dialer.dial.ports.unsent import Entry
from services.dialer.tests.support.journal_entries import RUN, event, result
from services.dialer.tests.support.memory_dial import MemoryCallJournal
from tests.support.virtual_time import run_virtually

Kind = CallEventKind


class MemoryUnsent:
    def __init__(self, left: Sequence[Entry] = ()) -> None:
        self.kept: dict[tuple[UUID, int], list[Entry]] = {(RUN, 0): list(left)} if left else {}

    def left(self) -> dict[tuple[UUID, int], list[Entry]]:
        return dict(self.kept)

    def keep(self, run_id: UUID, no: int, entries: Sequence[Entry]) -> None:
        self.kept.setdefault((run_id, no), []).extend(entries)

    def sent(self, run_id: UUID, no: int) -> None:
        self.kept.pop((run_id, no), None)


class CutJournal(MemoryCallJournal):
    """A log that does not answer while `cut` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False

    async def append(self, entry: JournalEntry, after: int) -> int:
        await self._answer()
        return await super().append(entry, after)

    async def _answer(self) -> None:
        if self.cut:
            await asyncio.sleep(5)
            raise BrokerError("no answer")


def live(story: Callable[[JournalWriter, CutJournal, MemoryUnsent], Awaitable[None]]) -> None:
    async def main() -> None:
        journal, unsent = CutJournal(), MemoryUnsent()
        async with JournalWriter(journal, SubscriberLog(), unsent) as writer:
            await story(writer, journal, unsent)

    run_virtually(main())


def test_messages_are_kept_soon_after_the_broker_falls_silent_and_those_that_follow_at_once() -> None:
    async def story(writer: JournalWriter, journal: CutJournal, unsent: MemoryUnsent) -> None:
        journal.cut = True
        writer.put(event(0))
        writer.put(event(1))
        assert not unsent.kept
        await asyncio.sleep(0.3)
        assert [entry.body.seq for entry in unsent.kept[RUN, 0]] == [0, 1]
        writer.put(result(1))
        assert len(unsent.kept[RUN, 0]) == 3

    live(story)


def test_messages_are_forgotten_once_the_broker_has_them() -> None:
    async def story(writer: JournalWriter, journal: CutJournal, unsent: MemoryUnsent) -> None:
        journal.cut = True
        writer.put(event(0))
        await asyncio.sleep(1)
        assert unsent.kept
        journal.cut = False
        await writer.flushed()
        assert not unsent.kept
        assert len(journal.entries) == 1

    live(story)


def test_nothing_is_kept_while_the_broker_answers() -> None:
    async def story(writer: JournalWriter, _journal: CutJournal, unsent: MemoryUnsent) -> None:
        for seq in range(10):
            writer.put(event(seq))
        await writer.flushed()
        await asyncio.sleep(1)
        assert not unsent.kept

    live(story)


def after_restart(in_log: Sequence[Entry], left: Sequence[Entry]) -> list[Entry]:
    async def main() -> list[Entry]:
        journal, unsent = MemoryCallJournal(), MemoryUnsent(left)
        journal.entries = list(in_log)
        await publish_unsent(journal, unsent)
        assert not unsent.kept
        return journal.entries

    return run_virtually(main())


STARTED = [event(0, kind=Kind.STARTED), event(1, kind=Kind.STATION_CHOSEN)]


def test_success_and_events_that_were_left_are_written_as_they_were() -> None:
    left = [event(2, kind=Kind.ANSWERED), result(1), event(3, kind=Kind.ENDED)]
    assert after_restart(STARTED, left) == [*STARTED, *left]


def test_messages_that_had_reached_the_log_are_not_written_again() -> None:
    left = [event(2, kind=Kind.ANSWERED), result(1), event(3)]
    log = [*STARTED, *left[:2]]
    assert after_restart(log, left) == [*STARTED, *left]


def test_messages_of_a_call_that_was_taken_over_are_void() -> None:
    log = [*STARTED, event(2, kind=Kind.INTERRUPTED)]
    left = [event(2, kind=Kind.ANSWERED), result(1)]
    assert after_restart(log, left) == log


def test_call_that_was_never_placed_is_not_recorded() -> None:
    assert after_restart([], STARTED) == []


def test_write_of_the_former_life_that_arrives_late_does_not_stop_the_others() -> None:
    late = event(2, kind=Kind.ANSWERED)

    class Late(MemoryCallJournal):
        """The former life's own write arrives right before ours."""

        arrived = False

        async def append(self, entry: JournalEntry, after: int) -> int:
            if not self.arrived:
                self.arrived = True
                self.entries.append(late)
            return await super().append(entry, after)

    async def main() -> None:
        journal = Late()
        journal.entries = [*STARTED]
        left = [event(2, kind=Kind.ANSWERED), result(1)]
        await publish_unsent(journal, MemoryUnsent(left))
        assert journal.entries == [*STARTED, late, left[1]]

    run_virtually(main())
