"""Reporting: how recent its reports are, how fast its answers, how many events it stores, against floors.

A line for each claim, with the ratio of what was measured to what is wanted; above 1 is better than wanted.
`--quick` is a twentieth of the size. `bench/README.md` says what is measured and how.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.reporting.big_run import BigRun
from bench.reporting.floors import insert_rate
from bench.reporting.freshness import Freshness
from bench.reporting.log import fill, keep_list, read_rate
from bench.reporting.questions import Questions, gateway, median_ms, whole_document
from bench.reporting.service import ReportingProcess, cpu_seconds, resident_mb
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import Requester
from tests.support.servers import Bus, bus_at

_DIRECTORY = Path(__file__).parent.parent / "build" / "bench"
_PEOPLE = 500
_FULL, _QUICK = 200, 10
_RATE, _CLIENTS = 2_000, 20
_FILL_S = 1_200.0


@dataclass
class Results:
    """The results, for the file."""

    figures: dict[str, float] = field(default_factory=dict)

    def say(self, what: str, value: float, unit: str, *, wanted: float, less: bool = True) -> None:
        self.figures[f"{what}, {unit}"] = round(value, 3)
        ratio = min(wanted / max(value, 1e-9) if less else value / wanted, 999)
        print(f"{what:<58} {value:>11.4g} {unit:<9} {ratio:6.2f} x as good as wanted", flush=True)

    def floor(self, what: str, value: float, unit: str, ours: float) -> None:
        self.figures[f"{what}, {unit}"] = round(value, 3)
        print(
            f"{'  floor: ' + what:<58} {value:>11.4g} {unit:<9} {ours / value:6.2f} of it is ours", flush=True
        )


@dataclass
class Bench:
    """The parts that all measurements use."""

    results: Results
    bus: Bus
    broker_pid: int
    service: ReportingProcess
    run: BigRun
    directory: Path
    quick: bool


async def measure_intake(bench: Bench) -> None:
    """A log that is full when the service starts: from JetStream to rows that can be asked for."""
    bus, service, run = bench.bus, bench.service, bench.run
    await keep_list(bus.js, run)
    end = await fill(bus.client, bus.js, run.beginning())
    reading = await read_rate(bus.client, bus.js, end)
    inserting = await asyncio.to_thread(insert_rate, run, bench.directory / "floor")
    await service.start()
    began, broker = time.perf_counter(), cpu_seconds(bench.broker_pid)
    ours = cpu_seconds(service.pid)
    metrics = await filled(service, run.beginning_events)
    seconds = time.perf_counter() - began
    rate = run.beginning_events / seconds
    say = bench.results.say
    say("events from the log to queryable rows, catching up", rate, "/s", wanted=10_000, less=False)
    bench.results.floor("reading the log, nothing else", reading, "/s", rate)
    bench.results.floor("inserting prepared columns, nothing else", inserting, "/s", rate)
    cores = (cpu_seconds(service.pid) - ours) / seconds
    others = (cpu_seconds(bench.broker_pid) - broker) / seconds
    inserts = metrics["cato_reporting_insert_seconds_sum"] / seconds
    size = run.beginning_events / metrics["cato_reporting_batches_stored_total"]
    print(
        f"  the service took {cores:.2f} cores, the broker {others:.2f}; inserts were under way {inserts:.0%}"
        f" of the time, {size:.0f} events each; {resident_mb(service.pid):.0f} MB"
    )
    await service.ready()


async def filled(service: ReportingProcess, events: int) -> dict[str, float]:
    async with asyncio.timeout(_FILL_S):
        while True:
            metrics = await service.metrics()
            if metrics.get("cato_reporting_events_stored_total", 0) >= events:
                return metrics
            await asyncio.sleep(0.1)


async def measure_questions(bench: Bench) -> None:
    """The run is over, and out of the service's memory: everything comes from the tables."""
    bus, service, run, say = bench.bus, bench.service, bench.run, bench.results.say
    questions = Questions(Requester(bus.broker), run)
    await fill(bus.client, bus.js, run.end())
    async with asyncio.timeout(120):
        # The run before it goes on.
        while (await service.metrics())["cato_reporting_followed_runs"] > 1:
            await asyncio.sleep(0.2)
    began = time.perf_counter()
    report = (await questions.report()).report
    first = (time.perf_counter() - began) * 1000
    assert report.model_dump(include=set(run.numbers)) == run.numbers, report
    print(
        f"  a finished run: {report.subscriber_count} subscribers, {report.calls_total} calls,"
        f" {run.events} events"
    )
    say("its report, asked for the first time", first, "ms", wanted=50)
    say("its report", await median_ms(questions.report, 20), "ms", wanted=50)
    places = iter(range(0, run.subscriber_count - 1_000, max(1, run.subscriber_count // 12)))
    pages = await median_ms(lambda: questions.page(next(places)), 10)
    say("1,000 subscribers with calls and events", pages, "ms", wanted=200)
    say("calls to one number", await median_ms(questions.calls_to_a_number, 10), "ms", wanted=100)
    began = time.perf_counter()
    size = await questions.parquet()
    say(f"all calls as Parquet ({size / 1e6:.1f} MB)", time.perf_counter() - began, "s", wanted=10)
    async with gateway(bus.url, bench.directory / "gateway", bench.directory / "gateway.log") as (url, pid):
        seconds, size, service_mb, gateway_mb = await whole_document(run, url, pid, service)
    say(f"the whole document by HTTP ({size / 1e6:.0f} MB)", seconds, "s", wanted=10)
    say("  memory that reporting took for it", service_mb, "MB", wanted=150)
    say("  memory that the gateway took for it", gateway_mb, "MB", wanted=150)


async def measure_freshness(bench: Bench) -> None:
    run = BigRun(2, people=_PEOPLE, replicas=20)
    await keep_list(bench.bus.js, run)
    fresh = Freshness(bench.bus.client, Requester(bench.bus.broker), run, rate=_RATE)
    ours = cpu_seconds(bench.service.pid)
    seconds = 10.0 if bench.quick else 30.0
    await fresh.measure(clients=_CLIENTS, seconds=seconds)
    cores = (cpu_seconds(bench.service.pid) - ours) / seconds
    ages, say = fresh.ages, bench.results.say
    say(
        f"age of the report, {_RATE} events/s, {_CLIENTS} clients, p50",
        fresh.share(ages, 0.5),
        "s",
        wanted=0.5,
    )
    say(
        f"age of the report, {_RATE} events/s, {_CLIENTS} clients, p99",
        fresh.share(ages, 0.99),
        "s",
        wanted=0.5,
    )
    metrics = await bench.service.metrics()
    lag = metrics["cato_reporting_read_model_lag_seconds"]
    say("  the read model was behind by, at the end", lag, "s", wanted=2)
    waited = fresh.share(fresh.waits, 0.5) * 1000, fresh.share(fresh.waits, 0.99) * 1000
    print(
        f"  {len(ages)} reports, {fresh.refused} refused;"
        f" a client waits {waited[0]:.0f} ms, p99 {waited[1]:.0f} ms;"
        f" the service took {cores:.2f} cores; the stream was late by {fresh.late * 1000:.0f} ms at most"
    )


async def measure(directory: Path, *, quick: bool) -> Results:
    results = Results()
    run = BigRun(1, people=_PEOPLE, replicas=_QUICK if quick else _FULL)
    async with EmbeddedNats(directory / "nats") as server, bus_at(server.url) as bus:
        await bus.broker.start()
        service = ReportingProcess(server.url, directory / "data", directory / "reporting.log")
        bench = Bench(results, bus, server.process.pid, service, run, directory, quick)
        try:
            await measure_intake(bench)
            await measure_freshness(bench)
            await measure_questions(bench)
        except BaseException:
            shutil.copy(directory / "reporting.log", _DIRECTORY / "reporting.log")
            raise
        finally:
            await service.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size, to try it out")
    quick = parser.parse_args().quick
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    print(f"reporting: {'under a minute' if quick else 'about eight minutes'}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        results = asyncio.run(measure(Path(directory), quick=quick))
    (_DIRECTORY / "reporting.json").write_text(
        json.dumps(results.figures, indent=2, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    main()
