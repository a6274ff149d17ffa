"""The program `cato-console`."""

import argparse

from cato_runtime.process.early_stop import end_at_stop_signal


def main() -> None:
    """Run the console until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog="cato-console",
        description="Serve the web pages for dispatchers. Settings are CATO_* environment variables.",
    ).parse_args()
    end_at_stop_signal()
    from cato_console.entrypoints.process import run  # noqa: PLC0415 - this takes a second

    run()


if __name__ == "__main__":
    main()
