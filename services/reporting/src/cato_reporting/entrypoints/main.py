"""The program `cato-reporting`."""

from cato_contracts.status import SERVICE
from cato_reporting.bootstrap import build
from cato_runtime.service import run_service


def main() -> None:
    """Run the service until it is told to stop."""
    run_service(SERVICE, build)
