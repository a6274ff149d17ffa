"""A run on three brokers: their leader is killed, one is cut off from the others, all restart in turn."""

from pathlib import Path

import pytest

from tests.chaos.random_runs.processes import fork_server
from tests.chaos.random_runs.run import carry_out
from tests.chaos.random_runs.set_pieces import cluster
from tests.chaos.random_runs.truths import violations


@pytest.mark.timeout(300)
async def test_everything_is_true_after_each_server_of_the_cluster_has_failed(tmp_path: Path) -> None:
    forks = fork_server()
    try:
        evidence = await carry_out(cluster(seed=0), tmp_path, forks)
    finally:
        await forks.aclose()
    assert violations(evidence) == []
