"""How many calls this machine can carry through our trunk, and how far that is from the floor.

Prints a table, writes `build/bench/calls.json`. `bench/README.md` says what is measured and how.
"""

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from telephony.child import allow_many_sockets
from telephony.machine import facts
from telephony.ramps import Bench, ramp_c_floor, ramp_calls, ramp_far_end, ramp_python_floor
from telephony.short_calls import ramp_short_calls
from telephony.table import Results, as_json, table

from cato_runtime.configuration.config import DialingConfig

ENGINES = ("dense", "pjsua2")
_DIRECTORY = Path(__file__).parent.parent / "build" / "bench"


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def measure_all() -> Results:
    calls_per_worker = DialingConfig().calls_per_worker
    began = time.monotonic()
    about = facts()
    async with AsyncExitStack() as stack:
        bench = await Bench.open(stack, _DIRECTORY, os.getpid(), tell)
        talking = [await ramp_calls(bench, calls_per_worker, engine) for engine in ENGINES]
        far_end = await ramp_far_end(bench, calls_per_worker)
        talking += [far_end] if far_end is not None else []
        short = [await ramp_short_calls(bench, calls_per_worker, engine) for engine in ENGINES]
        c_floor = await ramp_c_floor(bench)
        python_floor = await ramp_python_floor(bench)
    return Results(about, talking, short, c_floor, python_floor, time.monotonic() - began)


def main() -> int:
    allow_many_sockets()
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    tell("calls: about 5 minutes; figures are medians of short windows")
    results = asyncio.run(measure_all())
    print(table(results))
    (_DIRECTORY / "calls.json").write_text(as_json(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
