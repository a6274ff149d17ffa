"""Which handler answers which request."""

from functools import partial

from cato_contracts.messages.audio_commands import (
    AddAudioFile,
    GetAudioFile,
    GetAudioFiles,
    ListAudioFiles,
    RemoveAudioFile,
)
from cato_media.handlers.add_audio_file import add_audio_file
from cato_media.handlers.deps import Deps
from cato_media.handlers.read_audio_files import get_audio_file, get_audio_files, list_audio_files
from cato_media.handlers.remove_audio_file import remove_audio_file
from cato_runtime.requests import HandlerTable


def handler_table(deps: Deps) -> HandlerTable:
    """Return the handler of each request."""
    return {
        AddAudioFile: partial(add_audio_file, deps),
        RemoveAudioFile: partial(remove_audio_file, deps),
        GetAudioFile: partial(get_audio_file, deps),
        GetAudioFiles: partial(get_audio_files, deps),
        ListAudioFiles: partial(list_audio_files, deps),
    }
