"""Where the service is put together."""

from contextlib import AsyncExitStack
from pathlib import Path

from cato_contracts.audio_commands import (
    AddAudioFile,
    GetAudioFile,
    GetAudioFiles,
    ListAudioFiles,
    RemoveAudioFile,
)
from cato_contracts.subjects import EVENTS
from cato_jetstream import JetStreamLog, Log
from cato_media.adapters.dialer_prompt_usage import DialerPromptUsage
from cato_media.adapters.ffmpeg_decoder import FfmpegDecoder
from cato_media.adapters.jetstream_audio_files import JetStreamAudioFiles
from cato_media.adapters.locked_scratch_space import LockedScratchSpace
from cato_media.adapters.pydub_transcoder import PydubTranscoder
from cato_media.handlers.add_audio_file import AddAudioFileHandler, AudioLimits
from cato_media.handlers.read_audio_files import ReadAudioFiles
from cato_media.handlers.remove_audio_file import RemoveAudioFileHandler
from cato_media.ports import PromptUsage
from cato_runtime.clock import Clock
from cato_runtime.config import LimitsConfig
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestTable
from cato_runtime.service import Surroundings


class MediaService:
    """Answers requests about prompts; beside them it only keeps its lists up to date."""

    def __init__(
        self,
        event_log: Log,
        objects: ObjectStore,
        usage: PromptUsage,
        *,
        scratch: Path,
        limits: LimitsConfig,
        clock: Clock,
    ) -> None:
        self._scratch = LockedScratchSpace(scratch)
        self._files = JetStreamAudioFiles(event_log)
        self._requests = RequestTable(clock)
        self._running = AsyncExitStack()
        audio = AudioLimits(limits.audio_bytes, limits.audio_seconds)
        transcoder = PydubTranscoder(FfmpegDecoder(), max_seconds=audio.max_seconds)
        reading = ReadAudioFiles(self._files)
        self._adding = AddAudioFileHandler(
            self._files, objects, transcoder, scratch=self._scratch, limits=audio
        )
        self._requests.add(AddAudioFile, self._adding)
        self._requests.add(RemoveAudioFile, RemoveAudioFileHandler(self._files, objects, usage))
        self._requests.add(GetAudioFile, reading.get)
        self._requests.add(GetAudioFiles, reading.get_several)
        self._requests.add(ListAudioFiles, reading.list)

    @property
    def requests(self) -> RequestTable:
        return self._requests

    async def start(self) -> None:
        self._running.enter_context(self._scratch.opened())
        await self._running.enter_async_context(self._files.followed())

    async def drain(self) -> None:
        await self._adding.until_idle()

    async def stop(self) -> None:
        await self._running.aclose()


async def build(surroundings: Surroundings) -> MediaService:
    client = await surroundings.broker.connect()
    return MediaService(
        JetStreamLog(client, EVENTS.name),
        surroundings.objects,
        DialerPromptUsage(surroundings.requester),
        scratch=surroundings.settings.data_dir / "media",
        limits=surroundings.config.limits,
        clock=surroundings.clock,
    )
