"""The program `cato-reporting`."""

import argparse
import asyncio
import gc

from cato_contracts.status import SERVICE
from cato_reporting.bootstrap import build, rebuild
from cato_runtime.logs import configure_logging
from cato_runtime.service import run_service
from cato_runtime.settings import ServiceSettings

# Events are made by the ten thousand a second and freed by counting references. With Python's own thresholds
# a third of the time went into looking for cycles among all that is kept.
_OBJECTS_BEFORE_A_LOOK = (100_000, 50, 100)


def main() -> None:
    """Run the service until it is told to stop, or empty the read model to have it filled again."""
    parser = argparse.ArgumentParser(prog="cato-reporting", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "rebuild"],
        default="serve",
        help="serve (default), or rebuild: empty the read model, to be filled again from the log",
    )
    if parser.parse_args().command == "serve":
        gc.set_threshold(*_OBJECTS_BEFORE_A_LOOK)
        run_service(SERVICE, build)
        return
    settings = ServiceSettings()
    configure_logging(SERVICE, settings)
    asyncio.run(rebuild(settings))
