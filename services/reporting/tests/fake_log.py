"""The log of runs, the tables and the dead letters in memory."""

import asyncio

from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.ports import LogMessage


class FakeLog:
    """Holds messages by position, and records the acknowledged positions."""

    def __init__(self, messages):
        self.messages = [
            LogMessage(subject, position, data) for position, (subject, data) in enumerate(messages, start=1)
        ]
        self.last_position = len(self.messages)
        self.confirmed = 0
        self.reserved = []

    async def end(self):
        return self.last_position

    async def history(self, subject):
        begin = subject.removesuffix(">")
        batch = [message for message in self.messages if message.subject.startswith(begin)]
        for start in range(0, len(batch), 7):
            yield batch[start : start + 7]

    async def remove(self, run_id, *, until):
        begin = f"run.{run_id}."
        self.messages = [
            each for each in self.messages if not (each.subject.startswith(begin) and each.position <= until)
        ]

    async def reserve(self, *, after):
        self.reserved.append(after)
        return FakeIntake(self, after)


class FakeIntake:
    def __init__(self, log, after):
        self._log = log
        self._after = after

    async def take(self, limit, *, window):
        batch = [message for message in self._log.messages if message.position > self._after][:limit]
        if not batch:
            await asyncio.Event().wait()
        self._after = batch[-1].position
        return batch

    def flush(self):
        pass

    async def confirm(self, position):
        self._log.confirmed = position

    async def close(self):
        pass


class FakeReadModel:
    """Keeps the positions of messages; is away for a while, and refuses the positions in `refuses`."""

    def __init__(self, *, away=0, refuses=()):
        self.away = away
        self.refuses = set(refuses)
        self.stored = set()
        self.position = 0

    async def open(self):
        if self.away:
            self.away -= 1
            raise ReadModelAwayError("away")
        return self.position

    async def store(self, stored_messages, *, position):
        positions = {stored.position for stored in stored_messages}
        if positions & self.refuses:
            raise RowsRefusedError("no column holds this")
        self.stored |= positions
        self.position = position

    async def unlisted(self):
        return []


class FakeDeadLetters:
    def __init__(self):
        self.letters = {}

    async def publish(self, message, reason):
        new = message.position not in self.letters
        self.letters[message.position] = reason
        return new
