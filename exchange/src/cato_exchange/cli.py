"""Run a simulated telephone exchange that answers SIP and RTP as its number plan says."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan, PlanError


def run(port: int, plan: Path | None, record: Path | None, host: str = "127.0.0.1") -> int:
    """Serve until SIGTERM or SIGINT; return an exit code. The `ready` line names the port."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(_serve(port, Plan() if plan is None else Plan.load(plan), record, host))
    except (PlanError, OSError) as error:
        print(f"cato exchange: {error}", file=sys.stderr)
        return 1


async def _serve(port: int, plan: Plan, record: Path | None, host: str) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Exchange(plan, record, host, port) as exchange:
        print(f"ready {exchange.uri}", flush=True)
        await stopped.wait()
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="cato exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=5070, help="UDP port for SIP; 0 picks a free one")
    parser.add_argument("--plan", type=Path, help="number plan (YAML); without one every number gets 404")
    parser.add_argument("--record", type=Path, help="directory for call records and received audio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    options = parser.parse_args(arguments)
    return run(options.port, options.plan, options.record, options.host)


if __name__ == "__main__":
    sys.exit(main())
