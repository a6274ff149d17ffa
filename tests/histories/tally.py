"""How many histories there are, what has been lived through, and log lines that must not appear."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from hypothesis import HealthCheck, Phase, settings

from cato_contracts.calls import CallEventKind
from cato_eventlog import EventLogError
from cato_runtime.errors import CatoError
from tests.histories.world import World

F = TypeVar("F", bound=Callable[..., Any])

SHARES = {"outcomes": 0.26, "crashes": 0.31, "disorder": 0.12, "people": 0.21, "everything": 0.12}
"""Of the number that is wanted; they come to a little over one."""

IN_CI = os.environ.get("CI") == "true"
WANTED = int(os.environ.get("CATO_HISTORIES", "10000" if IN_CI else "1000"))

counted: Counter[str] = Counter()


def settings_of(share: str) -> Callable[[F], F]:
    """Return the profile: in CI 10,000 histories, always the same ones, elsewhere 1,000 new ones every time.

    `CATO_HISTORIES` is another number. A failing history is shrunk, printed, and can be repeated by the blob
    that is printed with it.
    """
    return settings(
        max_examples=max(10, round(WANTED * SHARES[share])),
        derandomize=IN_CI,
        database=None,
        deadline=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def count(world: World) -> None:
    counted["histories"] += 1
    counted["processes died"] += world.died
    counted["calls placed"] += len(world.exchange.placed)
    if world.reports is not None:
        counted["messages folded"] += len(world.reports.readings)
    counted["calls interrupted"] += world.kinds[CallEventKind.INTERRUPTED]
    counted["waves"] += world.rules.wave
    counted["reached"] += len(world.rules.notified)
    if world.rules.ending is not None:
        counted[f"runs {world.rules.ending.value.lower()}"] += 1


@contextmanager
def unexpected_log_lines() -> Iterator[list[str]]:
    """Collect errors that a role met and survived: it should not have met them."""
    lines: list[str] = []

    def judge(_: object, level: str, event: dict[str, Any]) -> Any:
        error = event.get("exc_info")
        known = isinstance(error, CatoError | EventLogError)
        if level in {"error", "critical"} and not known:
            lines.append(f"log: {event}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[judge], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )
    logging.disable(logging.WARNING)
    try:
        yield lines
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)
