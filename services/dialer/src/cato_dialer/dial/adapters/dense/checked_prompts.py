"""Check prompts before their calls are made; each file is read once until it changes."""

from pathlib import Path

from cato_contracts.alaw_wav import AlawWavError, audio_length

_MOST = 10_000


class CheckedPrompts:
    """Remembers which files have been found good, by size and time of change."""

    def __init__(self) -> None:
        self._good: dict[Path, tuple[int, int]] = {}

    def check(self, path: Path) -> None:
        """Raises: AlawWavError: if the file is not an A-law WAV file, or cannot be read."""
        try:
            status = path.stat()
        except OSError as error:
            raise AlawWavError(f"{path} cannot be read: {error.strerror}") from error
        state = status.st_size, status.st_mtime_ns
        if self._good.get(path) != state:
            audio_length(path)
            if len(self._good) >= _MOST:
                self._good.clear()
            self._good[path] = state
