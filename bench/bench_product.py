"""The whole product under load: `cato up` with the dense engine and the exchange, all on this machine.

Each scenario calls 10,000 subscribers and compares the report with what the far end saw and heard. Prints a
table, writes `build/bench/product.json`. `bench/README.md` says what is measured and how.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from product.run import Outcome, Scenario, as_dict, run
from telephony.child import allow_many_sockets

WANTED_RATE = 150.0
SUBSCRIBERS = 10_000
CHANNELS = 1_500
_DIRECTORY = Path(__file__).parent.parent / "build" / "bench"


def show(outcome: Outcome) -> None:
    scenario = outcome.scenario
    print(
        f"\n{scenario.name}: {scenario.subscribers} subscribers, a prompt of {scenario.prompt_s:g} s,"
        f" {scenario.channels} channels\n"
    )
    exact = "; ".join(outcome.faults) or "exact: every subscriber called once, everything heard whole"
    print(f"  {'calls per second, start to end':<34} {outcome.rate:8.1f}   {exact}")
    print(f"  {'the same in the middle of the run':<34} {outcome.steady_rate:8.1f}")
    print(f"  {'most calls at once':<34} {outcome.peak_calls:8}")
    print(f"  {'limited by':<34} {outcome.limit}\n")
    print(f"  {'':<34} {'cores':>8} {'ms of processor time per call':>32}")
    for name, cores in outcome.cores.items():
        print(f"  {name:<34} {cores:8.2f} {outcome.cpu_ms_per_call[name]:32.2f}")
    total = sum(outcome.cpu_ms_per_call.values())
    print(f"  {'together':<34} {sum(outcome.cores.values()):8.2f} {total:32.2f}", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--subscribers", type=int, default=SUBSCRIBERS)
    options.add_argument("--channels", type=int, default=CHANNELS)
    options.add_argument("--only", choices=("long", "short"), help="one of the two scenarios")
    chosen = options.parse_args()
    allow_many_sockets()
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    scenarios = {
        "short": Scenario("short calls", chosen.subscribers, chosen.channels, 0.2),
        "long": Scenario("calls of ten seconds", chosen.subscribers, chosen.channels, 10.0),
    }
    outcomes = []
    for key, scenario in scenarios.items():
        if chosen.only in (None, key):
            with tempfile.TemporaryDirectory() as directory:
                outcomes.append(run(Path(directory), scenario, _DIRECTORY / "receiver.log"))
            show(outcomes[-1])
    (_DIRECTORY / "product.json").write_text(json.dumps([as_dict(each) for each in outcomes], indent=2))
    short = next((each for each in outcomes if each.scenario is scenarios["short"]), None)
    if short is not None:
        print(f"\nshort calls, of {WANTED_RATE:g}/s wanted: {short.rate / WANTED_RATE:.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
