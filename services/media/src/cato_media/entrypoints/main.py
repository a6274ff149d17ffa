"""The program `cato-media`."""

import argparse

from cato_media.bootstrap import build
from cato_runtime.service import run_service


def main() -> None:
    """Run the service until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog="cato-media",
        description="Inspect, transcode and store audio files. Settings are CATO_* environment variables.",
    ).parse_args()
    run_service("media", build)
