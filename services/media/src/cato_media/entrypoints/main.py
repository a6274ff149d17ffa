"""`cato-media`: the service as a process."""

from cato_media.bootstrap import build
from cato_runtime.service import run_service


def main() -> None:
    run_service("media", build)
