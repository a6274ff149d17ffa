"""Where Prometheus finds the processes of this machine: a file for each in a directory (`file_sd_configs`).

A process that ends removes its file. A killed one leaves it, so Prometheus reports its target as down until a
process of the same service starts: that removes the files of targets that refuse connections.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ANY = ("0.0.0.0", "::")
_CONNECT_S = 1.0


@contextmanager
def scrape_target(directory: Path | None, service: str, host: str, port: int) -> Iterator[None]:
    """Name the address of `/metrics` in the directory, if there is one, while the body runs."""
    if directory is None:
        yield
        return
    if host in _ANY:
        host = socket.gethostbyname(socket.gethostname())
    directory.mkdir(parents=True, exist_ok=True)
    _remove_dead(directory, service)
    file = directory / f"{service}-{host}-{port}.json"
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    content = json.dumps([{"targets": [address], "labels": {"service": service}}])
    # Prometheus reads a file when its name appears, so it gets its name once it is complete.
    partial = file.with_suffix(".part")
    partial.write_text(content, encoding="utf-8")
    partial.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _remove_dead(directory: Path, service: str) -> None:
    for file in directory.glob(f"{service}-*-*.json"):
        of_service, host, port = file.stem.rsplit("-", 2)
        if of_service != service:
            continue
        try:
            socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
        except OSError:
            file.unlink(missing_ok=True)
