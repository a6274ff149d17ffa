"""Uploaded lists between two steps of a new notification: files that expire."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cato_console.errors import DraftGoneError


@dataclass(frozen=True, slots=True)
class Draft:
    """An uploaded list: its file's name, its media type, and where its bytes are."""

    session_id: str
    name: str
    media_type: str
    path: Path
    kept_until: float

    def content(self) -> bytes:
        return self.path.read_bytes()


class Drafts:
    """Keeps drafts for a time, and at most so many bytes of them; each belongs to one session."""

    def __init__(
        self,
        directory: Path,
        *,
        keep: timedelta,
        most_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory / "drafts"
        self._keep_s = keep.total_seconds()
        self._most_bytes = most_bytes
        self._clock = clock
        self._drafts: OrderedDict[str, Draft] = OrderedDict()

    def open(self) -> None:
        """Make the directory; what an earlier process has left is removed."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in self._directory.iterdir():
            file.unlink()

    def add(self, session_id: str, name: str, media_type: str, content: bytes) -> str:
        """Keep a list; return its id."""
        draft_id = secrets.token_urlsafe(16)
        path = self._directory / draft_id
        path.write_bytes(content)
        self._drafts[draft_id] = Draft(session_id, name, media_type, path, self._clock() + self._keep_s)
        self._make_room()
        return draft_id

    def get(self, session_id: str, draft_id: str) -> Draft:
        """Return a draft of this session.

        Raises:
            DraftGoneError: if there is none, or not any more.

        """
        draft = self._drafts.get(draft_id)
        if draft is None or draft.session_id != session_id or draft.kept_until < self._clock():
            raise DraftGoneError(draft_id)
        return draft

    def remove(self, draft_id: str) -> None:
        draft = self._drafts.pop(draft_id, None)
        if draft is not None:
            draft.path.unlink(missing_ok=True)

    def end_session(self, session_id: str) -> None:
        """Remove the drafts of a session."""
        for draft_id in [key for key, draft in self._drafts.items() if draft.session_id == session_id]:
            self.remove(draft_id)

    def _make_room(self) -> None:
        now = self._clock()
        for draft_id in [key for key, draft in self._drafts.items() if draft.kept_until < now]:
            self.remove(draft_id)
        sizes = {key: draft.path.stat().st_size for key, draft in self._drafts.items()}
        total = sum(sizes.values())
        while total > self._most_bytes and len(self._drafts) > 1:
            oldest = next(iter(self._drafts))
            total -= sizes[oldest]
            self.remove(oldest)
