"""The broker of a running stack, for commands beside it."""

import os
from pathlib import Path

from cato_contracts.errors import ConfigurationError

CONNECT_S = 5.0
EXIT_REFUSED = 1
EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h


def broker_url(data: Path, broker: str | None) -> str:
    """Return the URL of the broker: the given one, that of the environment, or that of the stack.

    Raises:
        ConfigurationError: if there is none.

    """
    if url := broker or os.environ.get("CATO_NATS_URL"):
        return url
    try:
        return (data / "broker.url").read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"no stack has run in {data}, and CATO_NATS_URL is unset") from error
