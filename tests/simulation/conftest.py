"""Shards of histories for the tests of this folder, and a word at the end on how many there were."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.simulation.shards import IN_CI, SEED, SHARES, WANTED, Shards

_counted: Counter[str] = Counter()


@pytest.fixture(scope="session")
def shards(request: pytest.FixtureRequest) -> Iterator[Shards]:
    """All shards of the shares that are to be tested, at work from the first use."""
    chosen = {
        item.callspec.params.get("share")
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    begun = Shards(chosen & SHARES.keys())
    yield begun
    begun.close()
    _counted.update(begun.counted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _counted:
        which = "always the same" if IN_CI else "new ones"
        terminalreporter.section(f"histories: {WANTED:,} wanted, {which}, seed {SEED}", sep="-")
        for what, number in _counted.items():
            terminalreporter.write_line(f"{number:>9,} {what}")
