"""The program `cato-gateway`."""

import argparse

from cato_runtime.process.early_stop import end_at_stop_signal


def main() -> None:
    """Run the gateway until SIGTERM or SIGINT; SIGHUP reads the tokens again."""
    argparse.ArgumentParser(
        prog="cato-gateway",
        description="Serve the REST API. Settings are CATO_* environment variables.",
    ).parse_args()
    end_at_stop_signal()
    from cato_gateway.bootstrap import build  # noqa: PLC0415 - these take a second
    from cato_runtime.service import run_service  # noqa: PLC0415

    run_service("gateway", build)


if __name__ == "__main__":
    main()
