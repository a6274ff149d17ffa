"""Numbers are excluded during a run whose dialers are killed and started again at random."""

from pathlib import Path

import pytest

from cato_contracts.api.reasons import Reason
from cato_contracts.messages.runs import SubscriberResult
from tests.chaos.random_runs.processes import fork_server
from tests.chaos.random_runs.run import carry_out
from tests.chaos.random_runs.set_pieces import excluding
from tests.chaos.random_runs.truths import violations


@pytest.mark.timeout(240)
async def test_no_invite_begins_after_the_exclusion_of_its_number_was_answered(tmp_path: Path) -> None:
    forks = fork_server()
    try:
        evidence = await carry_out(excluding(seed=0), tmp_path, forks)
    finally:
        await forks.aclose()
    assert violations(evidence) == []
    results = [each.body for each in evidence.log if isinstance(each.body, SubscriberResult)]
    not_reached = {evidence.scenario.phones[each.no][0]: each.reason for each in results if not each.notified}
    assert Reason.EXCLUDED in not_reached.values()
    # Whose call was interrupted by a kill, and whose number was excluded then, has the reason of that call.
    assert {number: not_reached[number] for number in not_reached if number not in evidence.excluded_ms} == {}
