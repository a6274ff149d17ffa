"""Parts of a page that change: which of them a browser has to replace."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """The content of the element `id`. It is sent when `version` is another one than before.

    `within`: the part that contains it. When that is sent, this one comes with it.
    """

    id: str
    version: Hashable
    html: Callable[[], str]
    within: str | None = None


class Shown:
    """What one browser shows."""

    def __init__(self) -> None:
        self._versions: dict[str, Hashable] = {}

    def changes(self, parts: Iterable[Part]) -> dict[str, str]:
        """Return the content of the parts that differ from what the browser has."""
        changed: dict[str, str] = {}
        versions: dict[str, Hashable] = {}
        for part in parts:
            versions[part.id] = part.version
            if part.within in changed:
                continue
            if part.id not in self._versions or self._versions[part.id] != part.version:
                changed[part.id] = part.html()
        self._versions = versions
        return changed
