"""What a list of 1,000,000 excluded numbers costs a dialer: time to load, memory, and lookups.

The list is sent as CSV and packed as the campaign role does it. The dialer reads it from the event log and
an object store, both in memory: the broker's part, some 20 MB over the network, is not in the figures.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cato_contracts.api.rules.exclusions import ExclusionChoice, ExclusionScope
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.numbering import Numbering
from cato_contracts.objects import Bucket
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.lists.read_exclusions import read_exclusions
from cato_dialer.campaign.handlers.resources import Resources
from cato_runtime.clock import SystemClock
from cato_runtime.requests import RequestContext
from services.dialer.tests.support.memory_exclusions import exclusion_reader
from tests.support.memory_log import MemoryLog
from tests.support.memory_objects import MemoryObjectStore

NUMBERS = 1_000_000
LOAD_ALLOWED_S, MEMORY_ALLOWED_MB = 10.0, 200.0
LOOKUPS = 20_000
RESULTS = Path("build/bench/exclusions.json")


def content_of_upload() -> bytes:
    lines = (f"+7{9_000_000_000 + no * 7},asked not to be called" for no in range(NUMBERS))
    return "\n".join(["number,reason", *lines]).encode()


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


async def load(stored: Path) -> dict[str, float]:
    """Load the list as a dialer does. Called in a process of its own, as memory is measured."""
    clock, events, objects = SystemClock(), MemoryLog(), MemoryObjectStore()
    new = ExclusionList.add(
        uuid4(),
        user_id="chief",
        name="do not call",
        scope=ExclusionScope.SYSTEM,
        numbers=await objects.put(Bucket.LISTS, "numbers", stored.read_bytes()),
        timestamp=clock.now(),
    )
    context = RequestContext(command_id="add", correlation_id="bench", now=clock.now())
    await Resources(events, ExclusionList, clock).add(new, context)
    before_mb, began = resident_mb(), time.perf_counter()
    reader = exclusion_reader(events, objects, clock)
    await reader.start()
    load_s, memory_mb = time.perf_counter() - began, resident_mb() - before_mb
    choice, now = ExclusionChoice(user_id="user"), clock.now().timestamp()
    phones = ["83437200041", "+79000000000"]
    assert reader.book.excluded(phones, choice, now) == {1}
    lookups_s = timeit.timeit(lambda: reader.book.excluded(phones, choice, now), number=LOOKUPS)
    await reader.stop()
    return {
        "loaded by a dialer, s": load_s,
        "memory of a dialer, MB": memory_mb,
        "lookups per second": len(phones) * LOOKUPS / lookups_s,
    }


def measure() -> dict[str, float]:
    upload, began = content_of_upload(), time.process_time()
    numbers = read_exclusions(upload, ListFormat.CSV, None, limit=NUMBERS, canonical=Numbering().canonical)
    packed = numbers.to_bytes()
    found = {
        "read and packed, s of processor time": time.process_time() - began,
        "stored, MB": len(packed) / 1e6,
    }
    with tempfile.NamedTemporaryFile() as file:
        file.write(packed)
        file.flush()
        loaded = subprocess.run(
            [sys.executable, __file__, file.name], stdout=subprocess.PIPE, check=True, timeout=300
        )
    return found | json.loads(loaded.stdout)


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(load(Path(sys.argv[1])))))
        return
    found = measure()
    for name, value in found.items():
        print(f"{name:<36} {value:>12,.2f}")
    print(f"allowed: {LOAD_ALLOWED_S:g} s to load, {MEMORY_ALLOWED_MB:g} MB")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
