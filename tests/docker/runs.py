"""Runs of many people through a system in containers, judged by the exchange's record."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.live_system import PROMPT, Client, LiveExchange, begin, wait_for_line

PLAN = {"rules": [{"match": r"3\d+", "behaviour": "answer", "ring_s": 6}]}
"""Phones that ring for a while, so that a run is long enough to do something to the system."""


def client_of(url: str, token: str) -> Client:
    headers = {"Authorization": f"Bearer plain:{token}"}
    return Client(httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=30))


class Exchange(LiveExchange):
    """The simulated exchange at an address that containers reach."""

    def start_at(self, host: str, port: int, rules: list[dict[str, Any]]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        plan = self.directory / "plan.yaml"
        plan.write_text(yaml.safe_dump({"rules": [*PLAN["rules"], *rules]}))
        command = [sys.executable, "-m", "cato_exchange.cli", "--host", host, "--port", str(port)]
        self.process = begin(
            [*command, "--plan", str(plan), "--record", str(self.records_dir)], stdout=subprocess.PIPE
        )
        wait_for_line(self.process, "ready")

    def calls_to(self, numbers: list[str]) -> Counter[str]:
        """Return how often the exchange was called with each number."""
        return Counter(record["number"] for record in self.records(set(numbers)))


class Run:
    """A run that calls as many people once, who all listen to the end."""

    def __init__(self, client: Client, people: int, first: int) -> None:
        self.numbers = [f"3{first + index:05}" for index in range(people)]
        prompt = client.add_prompt(f"prompt-{first}", PROMPT.read_bytes())
        listed = [
            {"fullName": f"Person {number}", "phones": [number], "emails": ""} for number in self.numbers
        ]
        settings = {"maxAnswerDelayS": 30, "name": f"profile-{first}"}
        self.id = client.start(client.make_task(listed, files=[prompt["id"]], **settings))

    def await_calls(self, client: Client, reached: int) -> None:
        """Return as soon as so many people were reached and calls are in progress."""
        deadline = time.monotonic() + 120
        while True:
            report = client.report(self.id)
            if report["subscriberNotified"] >= reached and report["callsInProgress"]:
                return
            assert report["activePhase"], report
            assert time.monotonic() < deadline, report
            time.sleep(0.2)

    def assert_each_was_called_once(self, client: Client, exchange: Exchange) -> None:
        document = client.finished(self.id, timeout_s=300)
        report = document["report"]
        assert report["subscriberNotified"] == len(self.numbers), report
        assert exchange.calls_to(self.numbers) == dict.fromkeys(self.numbers, 1)


def wait_until(holds: Any, what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def logs_to(path: Path, name: str) -> None:
    """Keep what a container has logged."""
    with path.open("w") as file:
        subprocess.run(["docker", "logs", name], stdout=file, stderr=subprocess.STDOUT, check=False)
