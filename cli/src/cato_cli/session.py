"""What the commands share: the connection, and where output goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cato_cli.profiles import Target, find_target

if TYPE_CHECKING:
    from cato_client import Client

_WIDTH = 120
_PATIENCE_S = 10.0


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr) if stream.isatty() else Console(stderr=stderr, width=_WIDTH)


@dataclass
class Session:
    """One call of the command.

    `profile` is the one that was asked for, None: the default one. `transport` is httpx's, for tests.
    """

    profile: str | None = None
    console: Console = field(default_factory=_console)
    transport: Any = None
    errors: Console = field(default_factory=lambda: _console(stderr=True))

    @contextmanager
    def current(self) -> Iterator[None]:
        """Be the session of the commands that are executed meanwhile."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    @property
    def target(self) -> Target:
        """The system to talk to.

        Raises:
            UsageProblemError: if the profile is unknown, or there is no token.

        """
        return find_target(self.profile)

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """Connect."""
        from cato_client import Client, Patience  # noqa: PLC0415 - imported when it is needed

        target = self.target
        patience = Patience(total_s=_PATIENCE_S)
        with Client(target.url, target.token, patience=patience, transport=self.transport) as client:
            yield client

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and self.console.is_terminal


_current: ContextVar[Session] = ContextVar("session")


def session() -> Session:
    """Return the session of the command that is being executed."""
    return _current.get()
