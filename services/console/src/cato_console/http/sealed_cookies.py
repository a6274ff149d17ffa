"""Cookies that the browser can neither read nor change: encrypted and authenticated by Fernet."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from cato_console.errors import ConfigurationError

_KEY_FILE = "cookies.key"


class SealedCookies:
    """Encrypts small values; what is older than `lifetime` is not opened any more."""

    def __init__(self, key: bytes, lifetime: timedelta) -> None:
        self._fernet = Fernet(key)
        self.lifetime = lifetime

    def seal(self, value: dict[str, Any]) -> str:
        return self._fernet.encrypt(json.dumps(value, separators=(",", ":")).encode()).decode()

    def open(self, text: str) -> dict[str, Any] | None:
        """Return the value; None if it was not sealed with this key, was changed or is too old."""
        try:
            content = self._fernet.decrypt(text.encode(), ttl=int(self.lifetime.total_seconds()))
        except InvalidToken:
            return None
        value: dict[str, Any] = json.loads(content)
        return value


def stored_key(directory: Path) -> bytes:
    """Return the key in the directory; the first start makes it.

    The key is beside the list of sessions that were signed out. If the directory is lost, all sessions end,
    and none of those that were signed out comes back.

    Raises:
        ConfigurationError: if the directory cannot be written to.

    """
    file = directory / _KEY_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_bytes()
        key = Fernet.generate_key()
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(key)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    return key
