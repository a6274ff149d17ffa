"""The program `cato-gateway`."""

import argparse

from cato_gateway.bootstrap import build
from cato_runtime.service import run_service


def main() -> None:
    """Run the gateway until SIGTERM or SIGINT; SIGHUP reads the tokens again."""
    argparse.ArgumentParser(
        prog="cato-gateway",
        description="Serve the REST API. Settings are CATO_* environment variables.",
    ).parse_args()
    run_service("gateway", build)


if __name__ == "__main__":
    main()
