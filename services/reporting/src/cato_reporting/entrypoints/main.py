"""The program `cato-reporting`."""

import argparse
import asyncio

from cato_runtime.process.early_stop import end_at_stop_signal


def main() -> None:
    """Run the service until SIGTERM, or empty the read model so that the service fills it again."""
    parser = argparse.ArgumentParser(
        prog="cato-reporting",
        description="Serve reports and the history of calls. Settings are CATO_* environment variables.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "rebuild"],
        default="serve",
        help="serve (default), or rebuild: empty the read model, to be filled again from log and archive",
    )
    command = parser.parse_args().command
    end_at_stop_signal()
    from cato_contracts.api.status import SERVICE  # noqa: PLC0415 - these take a second
    from cato_reporting.bootstrap import build, rebuild  # noqa: PLC0415
    from cato_runtime.configuration.settings import ServiceSettings  # noqa: PLC0415
    from cato_runtime.logs import configure_logging  # noqa: PLC0415
    from cato_runtime.service import run_service  # noqa: PLC0415

    if command == "serve":
        run_service(SERVICE, build)
        return
    settings = ServiceSettings()
    configure_logging(SERVICE, settings)
    asyncio.run(rebuild(settings))
