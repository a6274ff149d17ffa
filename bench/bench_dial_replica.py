"""A dial replica after its first call, by its engine and channels: memory and processes.

The processes of PJSIP start with the first call. The replica is the dialer of `cato up`, which shares the
pages of its modules with the other services, so a container needs some 20 MB more.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from telephony.cpu import descendants
from telephony.memory import private_kb

from tests.support.live_system import PROMPT, LiveExchange, LiveStack

CHANNELS = (30, 200, 1_000)
ENGINES = ("dense", "pjsua2")
SETTLED_S = 10.0
RESULTS = Path("build/bench/dial_replica.json")


def settled(pid: int) -> set[int]:
    """Return a process and its descendants, once there have been no new ones for a while."""
    found: set[int] = set()
    while (now := {pid, *descendants(pid)}) != found:
        found = now
        time.sleep(SETTLED_S)
    return found


def measured(directory: Path, exchange: LiveExchange, engine: str, channels: int) -> dict[str, float]:
    config = {"license": {"maxChannels": channels}}
    stack = LiveStack(directory, exchange.port, channels, config, engine)
    stack.start()
    try:
        client = stack.client()
        prompt = client.add_prompt("prompt", PROMPT.read_bytes())
        person = {"fullName": "Person", "phones": ["10000"], "emails": ""}
        task = client.make_task([person], files=[prompt["id"]])
        report = client.finished(client.start(task), timeout_s=1_500)["report"]
        assert report["subscriberNotified"] == 1, report
        client.http.close()
        pids = settled(stack.pid("dialer"))
        return {"private_mb": private_kb(pids) / 1024, "processes": len(pids)}
    finally:
        stack.stop()


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        exchange = LiveExchange(Path(directory) / "exchange")
        exchange.start()
        for engine in ENGINES:
            for channels in CHANNELS:
                name = f"{engine}-{channels}"
                found[name] = measured(Path(directory) / name, exchange, engine, channels)
                print(f"{name:<12}", *(f"{key} {value:.1f}" for key, value in found[name].items()))
        exchange.stop()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
