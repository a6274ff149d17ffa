"""An aggregate with one of everything that events and snapshots may hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate, event
from pydantic import BaseModel, ConfigDict

from cato_jetstream import DataclassAsDict, EnumAsValue, Log, ModelAsDict, Repository

NOW = datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


class State(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True)
class Route:
    prefix: str
    cost: Decimal


class Window(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    opens: datetime
    days: frozenset[str] = frozenset()


class Trunk(Aggregate):
    TOPIC = "trunk"

    class Created(Aggregate.Created):
        TOPIC = "trunk-created"
        name: str
        channels: int

    class Resized(Aggregate.Event):
        TOPIC = "trunk-resized"
        channels: int

    class Routed(Aggregate.Event):
        TOPIC = "trunk-routed"
        routes: tuple[Route, ...]

    class Closed(Aggregate.Event):
        TOPIC = "trunk-closed"
        window: Window
        until: date
        pause: timedelta
        by: UUID

    @event(Created)
    def __init__(self, id: UUID, name: str, channels: int) -> None:  # noqa: A002 - the library's name
        self.name = name
        self.channels = channels
        self.state = State.UP
        self.routes: tuple[Route, ...] = ()
        self.window: Window | None = None
        self.closed: dict[str, Any] = {}

    @event(Resized)
    def resize(self, channels: int) -> None:
        self.channels = channels

    @event(Routed)
    def route(self, routes: tuple[Route, ...]) -> None:
        self.routes += routes

    @event(Closed)
    def close(self, window: Window, until: date, pause: timedelta, by: UUID) -> None:
        self.state = State.DOWN
        self.window = window
        self.closed = {"until": until, "pause": pause, "by": by}


TRANSCODINGS = (
    EnumAsValue(State, "state"),
    DataclassAsDict(Route, "route"),
    ModelAsDict(Window, "window"),
)


def new_trunk(trunk_id: UUID, channels: int = 30) -> Trunk:
    return Trunk(id=trunk_id, name="main", channels=channels)


def trunks(
    log: Log, *, subject: Callable[[UUID], str] | None = None, remembered_commands: int = 16
) -> Repository[Trunk]:
    return Repository(
        log,
        Trunk,
        subject=subject,
        transcodings=TRANSCODINGS,
        remembered_commands=remembered_commands,
        clock=lambda: NOW,
    )
