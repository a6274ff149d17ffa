"""Says at the end how many histories there were."""

import pytest

from tests.histories import tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.counted:
        which = "the same ones as always" if tally.IN_CI else "new ones"
        terminalreporter.section(f"histories: {tally.WANTED:,} wanted, {which}", sep="-")
        for what, number in tally.counted.items():
            terminalreporter.write_line(f"{number:>9,} {what}")
