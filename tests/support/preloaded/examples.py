"""Programs for the tests of preloaded processes."""

import os
import signal
import sys
from pathlib import Path


def show_what_is_seen() -> int:
    sys.stdout.write(f"{sys.argv} {os.environ.get('CATO_TEST')} {Path.cwd().name} {sys.stdin.read()}\n")
    sys.stderr.write("an error\n")
    return 78


def wait_for_a_signal() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    signal.pause()
