"""The messages of calls that the broker has not acknowledged yet, on disk."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.envelope import Envelope, decode
from cato_contracts.errors import UndecodableError
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.adapters.spool.append_file import AppendFile
from cato_dialer.dial.ports.unsent import Entry

log = structlog.get_logger()


class DiskUnsent:
    """All subscribers share one file, which is removed when none of them has an unsent message."""

    def __init__(self, path: Path) -> None:
        self._file = AppendFile(path)
        self._open: set[tuple[UUID, int]] = set()

    def left(self) -> Mapping[tuple[UUID, int], Sequence[Entry]]:
        found: dict[tuple[UUID, int], list[Entry]] = {}
        for line in self._file.read():
            try:
                record = json.loads(line)
                key = UUID(record["run"]), int(record["no"])
                entry = _entry(record["message"]) if "message" in record else None
            except (ValueError, TypeError, KeyError, UndecodableError) as error:
                log.warning("unsent message cannot be read", error=str(error))
                continue
            if entry is None:
                found.pop(key, None)
            else:
                found.setdefault(key, []).append(entry)
        self._open = set(found)
        return found

    def keep(self, run_id: UUID, no: int, entries: Sequence[Entry]) -> None:
        self._open.add((run_id, no))
        for entry in entries:
            message = entry.encode().decode()
            self._file.append(json.dumps({"run": str(run_id), "no": no, "message": message}))
        if any(_decides(entry) for entry in entries):
            self._file.sync()

    def sent(self, run_id: UUID, no: int) -> None:
        self._open.discard((run_id, no))
        if self._open:
            self._file.append(json.dumps({"run": str(run_id), "no": no}))
        else:
            self._file.replace(())


def _entry(message: str) -> Entry:
    envelope: Envelope[Any] = decode(message.encode())
    if not isinstance(envelope.body, CallEvent | SubscriberResult):
        raise UndecodableError(f"{type(envelope.body).__name__} is no message of a call")
    return envelope


def _decides(entry: Entry) -> bool:
    """Tell whether a power failure may not lose it: the subscriber would be called again."""
    body = entry.body
    return isinstance(body, SubscriberResult) or body.kind in FINAL_KINDS
