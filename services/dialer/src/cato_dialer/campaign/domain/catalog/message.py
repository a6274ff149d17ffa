"""What a call plays: the files of the task, one after another, as often as its settings say."""

from collections.abc import Sequence

from cato_contracts.api.resources import AudioFile
from cato_contracts.errors import InvalidError


def check_duration(files: Sequence[AudioFile], repeat_count: int, *, max_seconds: int) -> None:
    """Check that everything that is played in a call has at most `max_seconds`.

    Raises:
        InvalidError: naming both durations.

    """
    once_ms = sum(file.duration_ms for file in files)
    if once_ms * repeat_count <= max_seconds * 1000:
        return
    repeated = f", {repeat_count} times {once_ms / 1000:g} s" if repeat_count > 1 else ""
    raise InvalidError(
        f"files: everything that is played in a call lasts {once_ms * repeat_count / 1000:g} s{repeated};"
        f" at most {max_seconds} s are allowed (limits.audioSeconds)"
    )
