"""Every promise holds in generated histories of outcomes, crashes, disordered deliveries and controls.

The real campaign role, the real dial role and the real fold of the reports run each history together, in
virtual time, on a log in memory.
"""

import pytest

from tests.simulation.shards import SHARES, Shards

pytestmark = pytest.mark.timeout(1_800)


@pytest.mark.parametrize("share", SHARES)
def test_every_promise_holds_in_every_history(shards: Shards, share: str) -> None:
    failures = shards.outcome(share)
    assert not failures, "\n\n".join(failures)
