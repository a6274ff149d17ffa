"""Counts over the histories, and log lines that must not appear in any."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from cato_contracts.errors import CatoError
from cato_contracts.messages.calls import CallEventKind
from cato_jetstream import EventLogError
from tests.simulation.world.world import World

_EXPECTED = frozenset({"subscriber was not reached because of a fault of the system"})
"""Errors that belong to a history: some of its calls are lost each time. The rules check when that may be."""


def count(world: World) -> Counter[str]:
    counted: Counter[str] = Counter()
    counted["histories"] = 1
    counted["processes that died"] = world.died
    counted["calls made"] = len(world.exchange.placed)
    counted["calls interrupted"] = world.judge.kinds[CallEventKind.INTERRUPTED]
    if world.judge.reports is not None:
        counted["messages folded into reports"] = len(world.judge.reports.readings)
    counted["waves"] = world.judge.rules.wave
    counted["people who share calls"] = world.judge.rules.sharing
    counted["people who opted out"] = world.exclusions.opt_outs.count
    counted["subscribers reached"] = len(world.judge.rules.notified)
    if world.judge.rules.snapshot is not None and world.judge.rules.snapshot.approval is not None:
        counted["runs that waited for an approval"] = 1
    if world.judge.rules.ending is not None:
        counted[f"runs {world.judge.rules.ending.value.lower()}"] = 1
    return counted


@contextmanager
def unexpected_log_lines() -> Iterator[list[str]]:
    """Collect unexpected errors that a role logged and survived."""
    lines: list[str] = []

    def judge(_: object, level: str, event: dict[str, Any]) -> Any:
        error = event.get("exc_info")
        known = isinstance(error, CatoError | EventLogError) or event.get("event") in _EXPECTED
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
