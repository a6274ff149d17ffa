"""The program `cato-media`."""

import argparse

from cato_runtime.process.early_stop import end_at_stop_signal


def main() -> None:
    """Run the service until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog="cato-media",
        description="Inspect, transcode and store audio files. Settings are CATO_* environment variables.",
    ).parse_args()
    end_at_stop_signal()
    from cato_media.bootstrap import build  # noqa: PLC0415 - these take a second
    from cato_runtime.service import run_service  # noqa: PLC0415

    run_service("media", build)
