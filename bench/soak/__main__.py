"""A soak: the whole system with all of its 200 channels in use, and whether anything grows.

Every ten seconds the memory (PSS and written), the descriptors and the threads of every process are noted,
and the streams and consumers of the broker. At the end `growth` says what has grown by more than 5 % since
minute 5; the exit code is 1 then. The first three minutes are faster than the rest (`load`). Runs leave the
log three minutes after their end, as they do after a month elsewhere; otherwise the broker had to hold more
and more.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nats.aio.client import Client
from telephony.child import Child

from bench.soak.growth import WINDOW_S, growth_of_count, growth_of_memory
from bench.soak.load import Load
from bench.soak.processes import processes_of, use_of
from cato_runtime.broker import connect, make_broker
from cato_runtime.process.tasks import end_tasks
from tests.support.live_system import LiveStack

CHANNELS = 200
WARM_UP_S = 300.0
SAMPLE_S = 10.0
COUNTS = ("descriptors", "threads", "streams", "consumers")
LOG_DAYS = 3 / (24 * 60)
NOT_JUDGED = ("broker: messages", "load: calls in progress", "pss_mb")
"""The archive keeps two objects for each run, on disk. PSS is that of the whole machine."""
RESULTS = Path("build/bench/soak.json")

Samples = dict[str, list[tuple[float, float]]]
"""The values of each measure, with their times in seconds from the start."""


async def sample(stack: LiveStack, client: Client, load: Load, samples: Samples, at: float) -> None:
    for name, pid in processes_of(stack).items():
        for what, value in asdict(use_of(pid)).items():
            samples[f"{name}: {what}"].append((at, value))
    streams = await client.jetstream().streams_info()
    samples["broker: streams"].append((at, len(streams)))
    samples["broker: consumers"].append((at, sum(stream.state.consumer_count for stream in streams)))
    samples["broker: messages"].append((at, sum(stream.state.messages for stream in streams)))
    samples["load: calls in progress"].append((at, load.active_calls))


def judged(samples: Samples) -> list[str]:
    """Print a line for each measure; return those that have grown."""
    grown = []
    print(f"{'':<40}{'minute 5':>12}{'end':>12}{'±':>8}{'':>8}{'lowest':>12}{'highest':>12}")
    for name, values in sorted(samples.items()):
        if "processor_s" in name:
            continue
        late = [(at, value) for at, value in values if at >= WARM_UP_S]
        growth = growth_of_count(late) if name.endswith(COUNTS) else growth_of_memory(late)
        fault = growth.fault and not name.endswith(NOT_JUDGED)
        grown += [name] if fault else []
        seen = [value for _, value in late]
        print(
            f"{name:<40}{growth.before:>12.1f}{growth.after:>12.1f}{growth.error:>8.1f}{growth.ratio:>8.3f}"
            f"{min(seen):>12.1f}{max(seen):>12.1f}{'  GROWN' if fault else ''}"
        )
    return grown


async def soak(directory: Path, seconds: float) -> tuple[Samples, Load]:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    log = RESULTS.parent / "soak-far-end.log"
    samples: Samples = defaultdict(list)
    async with await Child.start_module("telephony.processes.receiver", log=log) as far_end:
        port = (await far_end.ask({"do": "start"}))["port"]
        await far_end.ask({"do": "open", "streams": CHANNELS + 50})
        config = {"license": {"maxChannels": CHANNELS}, "retention": {"logDays": LOG_DAYS}}
        stack = LiveStack(directory, port, channels=CHANNELS, config=config, preloaded=False)
        await asyncio.to_thread(stack.start)
        broker = make_broker(stack.broker_url, "soak")
        load = Load(stack.url)
        try:
            client = await connect(broker)
            loading = asyncio.create_task(load.run())
            began = time.monotonic()
            while (at := time.monotonic() - began) < seconds and not loading.done():
                await sample(stack, client, load, samples, at)
                await asyncio.sleep(SAMPLE_S)
            if loading.done():
                loading.result()
            await end_tasks(loading)
        finally:
            await load.close()
            await broker.stop()
            await asyncio.to_thread(stack.stop)
    return samples, load


def main() -> None:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=45)
    minutes = parser.parse_args().minutes
    if 60 * minutes < WARM_UP_S + 3 * WINDOW_S:
        parser.error("a soak takes 20 minutes at least: five to warm up, and three means of five for a line")
    with tempfile.TemporaryDirectory() as directory:
        samples, load = asyncio.run(soak(Path(directory), 60 * minutes))
    grown = judged(samples)
    print(f"in {minutes:g} minutes: {dict(load.counted)}")
    RESULTS.write_text(json.dumps({"counted": load.counted, "samples": samples}) + "\n")
    if grown:
        sys.exit(f"grown by more than 5 %: {', '.join(grown)}")


if __name__ == "__main__":
    main()
