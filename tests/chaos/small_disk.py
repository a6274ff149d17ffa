"""A small file system for the data of a broker, to be filled and freed. Mounting one takes root."""

import subprocess
from pathlib import Path

_BLOCKS = (2**20, 4096)


def mount(directory: Path, size: str) -> None:
    """Raises: OSError if a file system cannot be mounted here."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())


def unmount(directory: Path) -> None:
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> Path:
    """Write a file until the file system is full."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in _BLOCKS:
            try:
                while True:
                    file.write(bytes(block))
            except OSError:
                continue
    return ballast
