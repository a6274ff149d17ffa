"""What a dialer keeps on disk for its next start: unsent messages, and the jobs in hand."""

import errno
import os
from pathlib import Path

import pytest

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.adapters.spool.append_file import AppendFile
from cato_dialer.dial.adapters.spool.jobs_in_hand import JobsInHand
from cato_dialer.dial.adapters.spool.unsent_events import DiskUnsent
from services.dialer.tests.support.journal_entries import RUN, event, result


async def test_unsent_messages_are_there_after_a_restart_in_their_order_and_with_their_times(
    tmp_path: Path,
) -> None:
    file = tmp_path / "kept" / "events"
    first = DiskUnsent(file)
    entries = [event(3), result(1), event(4, kind=CallEventKind.ENDED)]
    first.keep(RUN, 0, entries[:1])
    first.keep(RUN, 0, entries[1:])
    first.keep(RUN, 1, [event(0, no=1)])
    first.sent(RUN, 1)
    assert DiskUnsent(file).left() == {(RUN, 0): entries}


async def test_file_is_gone_once_everything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "events"
    unsent = DiskUnsent(file)
    unsent.keep(RUN, 0, [event(3)])
    unsent.keep(RUN, 1, [event(0, no=1)])
    unsent.sent(RUN, 0)
    assert file.exists()
    unsent.sent(RUN, 1)
    assert not file.exists()
    unsent.keep(RUN, 0, [event(4)])
    assert len(DiskUnsent(file).left()[RUN, 0]) == 1


async def test_messages_that_were_left_are_forgotten_once_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "events"
    DiskUnsent(file).keep(RUN, 0, [event(3)])
    next_life = DiskUnsent(file)
    assert next_life.left()
    next_life.sent(RUN, 0)
    assert not DiskUnsent(file).left()


async def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "events"
    DiskUnsent(file).keep(RUN, 0, [event(3)])
    assert file.stat().st_mode & 0o077 == 0


async def test_line_that_was_cut_off_by_a_power_failure_does_not_hide_the_others(tmp_path: Path) -> None:
    file = tmp_path / "events"
    DiskUnsent(file).keep(RUN, 0, [event(3), event(4)])
    os.truncate(file, file.stat().st_size - 20)
    assert [entry.body.seq for entry in DiskUnsent(file).left()[RUN, 0]] == [3]


async def test_line_after_one_that_a_killed_process_was_writing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "events"
    DiskUnsent(file).keep(RUN, 0, [event(3), event(4)])
    os.truncate(file, file.stat().st_size - 20)
    next_life = DiskUnsent(file)
    assert next_life.left()
    next_life.keep(RUN, 1, [event(0, no=1)])
    left = DiskUnsent(file).left()
    assert [entry.body.seq for entry in left[RUN, 0]] == [3]
    assert [entry.body.seq for entry in left[RUN, 1]] == [0]


def test_line_after_one_that_the_disk_had_no_space_for_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendFile(tmp_path / "events")
    file.append("first")
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, data[: len(data) // 2])

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    file.append("a line that is too long for the disk")
    monkeypatch.setattr(os, "write", write)
    file.append("last")
    assert AppendFile(tmp_path / "events").read() == ["first", "last"]


async def test_line_that_is_no_message_does_not_hide_the_others(tmp_path: Path) -> None:
    file = tmp_path / "events"
    DiskUnsent(file).keep(RUN, 0, [event(3)])
    with file.open("a") as damaged:
        damaged.write("\x00\x00\n[]\n")
    assert len(DiskUnsent(file).left()[RUN, 0]) == 1


def test_jobs_in_hand_are_those_that_were_not_given_back(tmp_path: Path) -> None:
    jobs = JobsInHand(tmp_path / "jobs")
    for reply in ("a", "b", "c"):
        jobs.took(reply)
    jobs.gave("b")
    jobs.gave("unknown")
    next_life = JobsInHand(tmp_path / "jobs")
    assert next_life.left() == ["a", "c"]
    assert JobsInHand(tmp_path / "jobs").left() == []


def test_file_of_jobs_does_not_grow_with_the_jobs_that_were_done(tmp_path: Path) -> None:
    jobs = JobsInHand(tmp_path / "jobs")
    jobs.took("stays")
    for number in range(5000):
        jobs.took(str(number))
        jobs.gave(str(number))
    assert (tmp_path / "jobs").stat().st_size < 20_000
    assert JobsInHand(tmp_path / "jobs").left() == ["stays"]


def test_file_that_cannot_be_written_is_told_and_nothing_else_fails(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where a folder should be")
    file = AppendFile(tmp_path / "occupied" / "events")
    file.append("line")
    file.append("line")
    file.replace(["line"])
