"""Random faults: `python -m tests.chaos.random_runs --runs 25`, or `--seed 7` for one run again.

Prints every seed with its scenario before the run, and what is not true after it; then the exit code is 1 and
the logs of the run are kept.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cato_stack.forked_process import ForkServerProcess
from tests.chaos.random_runs.evidence import Evidence
from tests.chaos.random_runs.processes import fork_server
from tests.chaos.random_runs.run import carry_out
from tests.chaos.random_runs.scenario import Scenario, draw
from tests.chaos.random_runs.set_pieces import cluster, partitions, rolling
from tests.chaos.random_runs.shared.run import carry_out_shared
from tests.chaos.random_runs.shared.scenario import SharedScenario, draw_shared
from tests.chaos.random_runs.shared.truths import shared_violations
from tests.chaos.random_runs.system import NotStartedError
from tests.chaos.random_runs.truths import intervals_are_judged, violations
from tests.chaos.small_disk import mount, unmount


class Campaign:
    """Runs seeds, several systems side by side, and keeps count."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.failed: list[int] = []
        self.not_run: list[int] = []
        self.done = 0
        self.intervals_not_judged = 0
        self.faults: Counter[str] = Counter()
        self.verdicts: dict[int, tuple[Scenario, str]] = {}
        """What came of each seed, with its seconds."""
        self.calls = 0

    async def run(self, scenarios: Sequence[Scenario], beside: int) -> None:
        forks = fork_server()
        waiting = iter(scenarios)

        async def work() -> None:
            for scenario in waiting:
                await self._one(scenario, forks)

        try:
            await asyncio.gather(*(work() for _ in range(beside)))
        finally:
            await forks.aclose()

    async def _one(self, scenario: Scenario, forks: ForkServerProcess) -> None:
        seed = scenario.seed
        say(scenario.describe())
        directory = self._directory / str(seed)
        directory.mkdir()
        began = time.monotonic()
        try:
            evidence, found = await _judged(scenario, directory, forks)
        except NotStartedError as error:
            self.not_run.append(seed)
            self.verdicts[seed] = scenario, "not run"
            say(f"seed {seed}: NOT RUN: {error}")
            return
        except Exception:  # noqa: BLE001 - every way in which a run fails is a result
            self._failed(scenario, [traceback.format_exc()])
            return
        self.done += 1
        self.calls += len(evidence.far_calls)
        self.faults.update(fault.kind.value for fault in scenario.faults)
        self.intervals_not_judged += bool(scenario.interval_ms and not intervals_are_judged(evidence))
        took = time.monotonic() - began
        self.verdicts[seed] = scenario, f"true, {took:.0f} s"
        if found:
            (directory / "evidence.txt").write_text("\n".join(evidence.lines()))
            self._failed(scenario, found)
        else:
            report = evidence.document.report
            say(
                f"seed {seed}: true after {took:.0f} s, {evidence.start_s:.0f} of them to start:"
                f" {report.subscriber_notified} of {report.subscriber_count} notified,"
                f" {len(evidence.far_calls)} calls at the exchange, {report.state};"
                f" {len(evidence.excluded_ms)} exclusions answered,"
                f" {evidence.cuts_in_calls} of {len(evidence.cuts_ms)} partitions began during calls"
            )
            shutil.rmtree(directory)

    def _failed(self, scenario: Scenario, found: list[str]) -> None:
        self.failed.append(scenario.seed)
        self.verdicts[scenario.seed] = scenario, "NOT TRUE: " + found[0].strip().splitlines()[-1]
        say(f"seed {scenario.seed}: NOT TRUE; logs in {self._directory / str(scenario.seed)}")
        for each in found:
            say(f"    {each}")


async def _judged(
    scenario: Scenario, directory: Path, forks: ForkServerProcess
) -> tuple[Evidence, list[str]]:
    """Carry out a scenario; return the evidence, and what is not true."""
    if isinstance(scenario, SharedScenario):
        together, runs = await carry_out_shared(scenario, directory, forks)
        return together, shared_violations(together, runs)
    evidence = await carry_out(scenario, directory, forks)
    return evidence, violations(evidence)


def table(verdicts: Iterable[tuple[Scenario, str]]) -> Iterator[str]:
    """Return a line for each run: its seed, what broke, and the verdict."""
    yield f"{'seed':>10}  {'brokers':7}  {'engine':6}  {'faults':60}  verdict"
    for scenario, verdict in verdicts:
        kinds = Counter(each.kind.value for each in scenario.faults)
        kinds.update(ordered.order.value for ordered in scenario.orders)
        broke = ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())
        yield f"{scenario.seed:>10}  {scenario.brokers:7}  {scenario.engine:6}  {broke:60}  {verdict}"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the result of the command


def can_mount(directory: Path) -> bool:
    directory.mkdir()
    try:
        mount(directory, "1m")
    except OSError as error:
        say(f"NOT SHOWN: full disks; a file system cannot be mounted here: {error}")
        return False
    unmount(directory)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.random_runs", description=__doc__)
    parser.add_argument("--runs", type=int, default=25, help="how many runs")
    parser.add_argument("--first", type=int, help="the first seed; default: from the clock")
    parser.add_argument("--seed", type=int, action="append", help="this seed; may be repeated")
    parser.add_argument("--beside", type=int, default=3, help="how many systems run at the same time")
    parser.add_argument("--engine", choices=("dense", "pjsua2"), help="the SIP engine; default: drawn")
    parser.add_argument(
        "--brokers", type=int, choices=(1, 3), help="one broker, or a cluster; default: drawn"
    )
    parser.add_argument("--partitions", type=int, help="one run with this many partitions of dialers")
    parser.add_argument("--cluster", action="store_true", help="one run on three brokers, which all fail")
    parser.add_argument(
        "--shared", action="store_true", help="five runs at once whose lists share numbers, in each system"
    )
    parser.add_argument("--rolling", type=int, help="one run of this many people; everything is restarted")
    options = parser.parse_args()
    first = options.first if options.first is not None else int(time.time())
    directory = Path(tempfile.mkdtemp(prefix="cato-chaos-"))
    scenarios: list[Scenario]
    if options.partitions:
        scenarios = [partitions(options.partitions, first)]
    elif options.cluster:
        scenarios = [cluster(first)]
    elif options.rolling:
        scenarios = [rolling(options.rolling, first, options.brokers or 1)]
    elif options.shared:
        seeds = options.seed or list(range(first, first + options.runs))
        scenarios = [draw_shared(seed, engine=options.engine, brokers=options.brokers) for seed in seeds]
    else:
        seeds = options.seed or list(range(first, first + options.runs))
        disk = can_mount(directory / "disk")
        scenarios = [draw(seed, disk=disk, engine=options.engine, brokers=options.brokers) for seed in seeds]
    campaign = Campaign(directory)
    asyncio.run(campaign.run(scenarios, options.beside))
    for line in table(campaign.verdicts[seed] for seed in sorted(campaign.verdicts)):
        say(line)
    say(
        f"{len(scenarios)} runs from seed {scenarios[0].seed}, {len(campaign.failed)} not true"
        f" {campaign.failed or ''}, {len(campaign.not_run)} not run {campaign.not_run or ''};"
        f" {campaign.calls} calls; {dict(campaign.faults)};"
        f" intervals not judged in {campaign.intervals_not_judged} runs: the machine stalled"
    )
    return 1 if campaign.failed or campaign.not_run else 0


if __name__ == "__main__":
    sys.exit(main())
