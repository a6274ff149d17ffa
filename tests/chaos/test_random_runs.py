"""A few runs with random faults; `make chaos` makes more.

Here `CATO_CHAOS_RUNS` is their number and `CATO_CHAOS_SEED` the first seed. They are the same ones each time.
"""

import os
import subprocess
import sys

import pytest

RUNS = int(os.environ.get("CATO_CHAOS_RUNS", "2"))
FIRST = os.environ.get("CATO_CHAOS_SEED", "802")
SECONDS_OF_A_RUN = 240


@pytest.mark.timeout(RUNS * SECONDS_OF_A_RUN + 60)
def test_everything_is_true_after_runs_with_random_faults() -> None:
    command = [sys.executable, "-m", "tests.chaos.random_runs", "--runs", str(RUNS), "--beside", "2"]
    command += ["--first", FIRST]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=RUNS * SECONDS_OF_A_RUN,
    )
    assert done.returncode == 0, done.stdout
