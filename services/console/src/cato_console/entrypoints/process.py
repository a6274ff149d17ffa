"""The process of the console."""

import asyncio
import os
import signal
import sys

import structlog

from cato_console.bootstrap import build
from cato_console.errors import ConfigurationError
from cato_console.settings import ConsoleSettings, read_settings
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.logs import configure_logging
from cato_runtime.process.signals import stop_requested

log = structlog.get_logger()


def run() -> None:
    """Run the console until SIGTERM or SIGINT."""
    process = ServiceSettings()
    configure_logging("console", process)
    try:
        asyncio.run(_run(read_settings(), process))
    except ConfigurationError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - the message is enough
        sys.exit(os.EX_CONFIG)


async def _run(settings: ConsoleSettings, process: ServiceSettings) -> None:
    stopping = stop_requested()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, log.info, "this service reads its settings at its start only")
    service = build(settings, process)
    try:
        await service.start()
        log.info("ready")
        await stopping.wait()
        log.info("draining")
        await service.drain()
    finally:
        await service.stop()
        log.info("stopped")
