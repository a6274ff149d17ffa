"""The demonstration: exchange, stack, six steps, verification."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from cato_client import AsyncClient, CatoClientError
from cato_contracts.errors import ConfigurationError
from cato_runtime.process.child_process import die_with_parent
from cato_runtime.process.signals import stop_requested
from cato_stack.demo.display import Progress, final_table
from cato_stack.demo.scenario import Person, number_plan, people
from cato_stack.demo.steps import Prompt, StepFailedError, Steps
from cato_stack.demo.verification import problems
from cato_stack.stack import StackOptions, running_stack

_EXCHANGE_TIMEOUT_S = 20.0
_RUN_TIMEOUT_S = 180.0
_CHANNELS = 10
_TOKEN = "default"  # noqa: S105 - the default token of the manual
_LOG = "services.log"
_RECORD = "calls"


def run_demo(prompt: Path, report: Path, *, keep: bool = False) -> int:
    """Run the demonstration; return 0 if everything was as planned, else 1.

    With `keep` the system runs on until Ctrl-C or SIGTERM, so that its console can be looked at.
    """
    console = Console() if sys.stdout.isatty() else Console(width=120)
    with tempfile.TemporaryDirectory(prefix="cato-demo-") as scratch:
        try:
            return asyncio.run(_demo(console, Path(scratch), prompt, report, keep=keep))
        except (ConfigurationError, StepFailedError, TimeoutError, CatoClientError) as error:
            log = Path(scratch, _LOG)
            console.print(log.read_text() if log.exists() else "", markup=False, highlight=False)
            console.print(f"[red]the demonstration failed:[/red] {error!r}")
            return 1


async def _demo(console: Console, scratch: Path, prompt_file: Path, report: Path, *, keep: bool) -> int:
    started = time.monotonic()
    # The number plan depends on the duration of the prompt, which step 1 returns. So the exchange starts
    # after it, on a port that is already in the configuration of the stack.
    sip_port = _free_port(socket.SOCK_DGRAM)
    options = StackOptions(
        data_dir=scratch / "data",
        host="127.0.0.1",
        port=_free_port(socket.SOCK_STREAM),
        config=_configuration(scratch, sip_port),
        log_file=scratch / _LOG,
        console_port=_free_port(socket.SOCK_STREAM),
    )
    async with running_stack(options):
        console.print(f"stack ready at {options.url} after {time.monotonic() - started:.1f} s")
        console.print(f"console at {options.console_url}, token: {_TOKEN}")
        async with AsyncClient(options.url, _TOKEN) as client, asyncio.timeout(_RUN_TIMEOUT_S):
            steps = Steps(client)
            prompt = await steps.add_prompt(prompt_file)
            everyone = people(prompt.seconds)
            console.print(f"prompt: {prompt.seconds:.2f} s; subscribers: {len(everyone)}")
            async with _exchange(scratch, sip_port, everyone):
                document = await _run(steps, console, prompt, everyone)
        report.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        result = _verdict(console, scratch, document, everyone, prompt.alaw)
        console.print(f"{time.monotonic() - started:.1f} s; status document: {report}")
        if keep:
            console.print(f"the console stays open at {options.console_url} until Ctrl-C; token: {_TOKEN}")
            # Another notification can be tried: the numbers behave as before.
            async with _exchange(scratch, sip_port, everyone, record="more-calls"):
                await stop_requested().wait()
    return result


def _verdict(
    console: Console, scratch: Path, document: dict[str, Any], everyone: list[Person], alaw: bytes
) -> int:
    """Print the result, and compare it with the record of the exchange."""
    console.print(final_table(document, everyone))
    found = problems(document, everyone, alaw, scratch / _RECORD)
    for problem in found:
        console.print(f"[red]{problem}[/red]")
    verdict = "[red]not as planned[/red]" if found else "[green]everything as planned[/green]"
    console.print(verdict)
    return 1 if found else 0


async def _run(steps: Steps, console: Console, prompt: Prompt, everyone: list[Person]) -> dict[str, Any]:
    group = await steps.add_group("demo", everyone)
    settings = await steps.add_settings(prompt.seconds)
    task = await steps.add_task("flood warning", settings, prompt.id, group)
    run = await steps.start(task)
    with Progress(console) as progress:
        return await steps.follow(run, progress.show)


@contextlib.asynccontextmanager
async def _exchange(
    scratch: Path, port: int, everyone: list[Person], *, record: str = _RECORD
) -> AsyncIterator[None]:
    plan = scratch / "plan.yaml"
    plan.write_text(yaml.safe_dump(number_plan(everyone), allow_unicode=True))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cato_exchange.cli", "--port", str(port), "--plan", str(plan)),
        *("--record", str(scratch / record)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        async with asyncio.timeout(_EXCHANGE_TIMEOUT_S):
            line = await process.stdout.readline() if process.stdout else b""
        if not line.startswith(b"ready"):
            raise ConfigurationError("the exchange did not start")
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def _configuration(scratch: Path, sip_port: int) -> Path:
    path = scratch / "cato.yaml"
    station = {
        "name": "exchange",
        "uri": f"sip:127.0.0.1:{sip_port};transport=udp",
        "channels": _CHANNELS,
        "callerId": "776400",
    }
    path.write_text(yaml.safe_dump({"stations": [station], "dialing": {"bindAddress": "127.0.0.1"}}))
    return path


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
