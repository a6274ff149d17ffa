"""Says at the end how many histories there were."""

import pytest

from tests.histories import tally


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.counted:
        terminalreporter.section("histories", sep="-")
        for what, number in tally.counted.items():
            terminalreporter.write_line(f"{number:>9,} {what}")
