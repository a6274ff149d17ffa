"""Start the histories with the session, and print their counts at its end."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from cato_dialer.dial.handlers import deps, dispatch_jobs
from tests.simulation.shards import IN_CI, SEED, SHARES, WANTED, Shards
from tests.simulation.world import surroundings

_counted: Counter[str] = Counter()
_started = pytest.StashKey[Shards]()


_SLOWER = 10


@pytest.fixture
def slow_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """For runs of days: heartbeats of jobs are rare, and all that is measured by them is as much longer.

    A call that starts by them, and not by the alarm for its time, is late.
    """
    monkeypatch.setattr(dispatch_jobs, "HEARTBEAT_S", _SLOWER * dispatch_jobs.HEARTBEAT_S)
    monkeypatch.setattr(deps, "FROZEN_S", _SLOWER * deps.FROZEN_S)
    monkeypatch.setattr(surroundings, "REDELIVERED_AFTER_S", _SLOWER * surroundings.REDELIVERED_AFTER_S)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the selected histories; under xdist only the worker that needs them starts them."""
    if not session.config.option.collectonly and "PYTEST_XDIST_WORKER" not in os.environ:
        _start(session)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (shards := config.stash.get(_started, None)) is not None:
        shards.close()


@pytest.fixture(scope="session")
def shards(request: pytest.FixtureRequest) -> Iterator[Shards]:
    """All shards of the selected shares."""
    shards = request.config.stash.get(_started, None) or _start(request.session)
    yield shards
    _counted.update(shards.counted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _counted:
        which = "always the same" if IN_CI else "new ones"
        terminalreporter.section(f"histories: {WANTED:,} wanted, {which}, seed {SEED}", sep="-")
        for what, number in _counted.items():
            terminalreporter.write_line(f"{number:>9,} {what}")


def _start(session: pytest.Session) -> Shards:
    selected = {
        item.callspec.params.get("share")
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "shards" in item.fixturenames
    }
    shards = session.config.stash[_started] = Shards(selected & SHARES.keys())
    return shards
