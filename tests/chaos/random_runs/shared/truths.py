"""What must be true of several runs together, and of each by itself."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.random_runs.evidence import Evidence, FarCall
from tests.chaos.random_runs.shared.scenario import CALLERS, SharedScenario
from tests.chaos.random_runs.truths import CLOCK_MS, calls_end_at_exchange, channels_are_kept, violations


def shared_violations(together: Evidence, runs: Sequence[Evidence]) -> list[str]:
    """Return everything that is not true; `together` has the calls of all `runs`."""
    scenario = together.scenario
    assert isinstance(scenario, SharedScenario)
    found = [f"run {place}: {what}" for place, run in enumerate(runs) for what in violations(run)]
    found += [f"callers: {call.number} was called by {call.caller}" for call in _strangers(together)]
    for truth in (one_call_to_a_number_at_once, limits_are_kept, channels_are_kept, calls_end_at_exchange):
        found += [f"{truth.__name__}: {what}" for what in truth(together)]
    return found


def one_call_to_a_number_at_once(together: Evidence) -> Iterator[str]:
    for number, calls in _by_number(together.far_calls).items():
        for first, second in pairwise(calls):
            if first.end_ms is None or first.end_ms > second.invite_ms:
                yield (
                    f"{number} is called by {second.caller} at {second.invite_ms:.0f} during the call of"
                    f" {first.caller} from {first.invite_ms:.0f} till {first.end_ms}"
                )


def limits_are_kept(together: Evidence) -> Iterator[str]:
    limits = together.scenario.settings.get("contactLimits", {})
    gap_ms = limits.get("minGapS", 0) * 1000
    for number, calls in _by_number(together.far_calls).items():
        for limit in limits.get("limits", ()):
            # The runs are shorter than the period of any limit here.
            if len(calls) > limit["maxCalls"]:
                yield f"{number} has {len(calls)} calls, {limit['maxCalls']} are allowed"
        for first, second in pairwise(calls):
            if first.end_ms is not None and second.invite_ms < first.end_ms + gap_ms - CLOCK_MS:
                yield f"{number} is called {second.invite_ms - first.end_ms:.0f} ms after a call"


def _by_number(calls: Sequence[FarCall]) -> dict[str, list[FarCall]]:
    found: defaultdict[str, list[FarCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda each: each.invite_ms):
        found[call.number].append(call)
    return dict(found)


def _strangers(together: Evidence) -> Iterator[FarCall]:
    return (call for call in together.far_calls if call.caller not in CALLERS)
