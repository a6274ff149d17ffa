"""Programs for the tests of the fork server."""

import os
import signal
import sys


def main() -> None:
    """Print what a program sees, and end as the environment says."""
    sys.stderr.write(f"{sys.argv} {os.environ.get('CATO_TEST')} {os.getsid(0) == os.getpid()}\n")
    sys.exit(int(os.environ["CATO_CODE"]))


def sleeper() -> None:
    """Wait for a signal."""
    signal.pause()
