"""Puts the service together."""

from pathlib import Path

from cato_contracts.subjects import EVENTS
from cato_jetstream import JetStreamLog, Log
from cato_media.adapters.dialer_prompt_usage import DialerPromptUsage
from cato_media.adapters.ffmpeg_decoder import FfmpegDecoder
from cato_media.adapters.jetstream_audio_files import JetStreamAudioFiles
from cato_media.adapters.locked_scratch_space import LockedScratchSpace
from cato_media.adapters.pydub_transcoder import PydubTranscoder
from cato_media.handlers.deps import AudioLimits, Deps
from cato_media.ports import PromptUsage
from cato_media.service import MediaService
from cato_runtime.configuration.config import AudioConfig, LimitsConfig
from cato_runtime.objects import ObjectStore
from cato_runtime.service import RuntimeDeps


def make_deps(
    event_log: Log,
    objects: ObjectStore,
    usage: PromptUsage,
    *,
    scratch: Path,
    limits: LimitsConfig,
    audio: AudioConfig,
) -> Deps:
    """Return the handlers' dependencies around the log, the object store and the dialer's answers."""
    return Deps(
        files=JetStreamAudioFiles(event_log),
        objects=objects,
        transcoder=PydubTranscoder(
            FfmpegDecoder(), max_seconds=limits.audio_seconds, loudness_lufs=audio.loudness_lufs
        ),
        usage=usage,
        scratch=LockedScratchSpace(scratch),
        limits=AudioLimits(limits.audio_bytes, limits.audio_seconds),
    )


async def build(runtime: RuntimeDeps) -> MediaService:
    """Return the service on the broker of this process."""
    client = await runtime.broker.connect()
    deps = make_deps(
        JetStreamLog(client, EVENTS.name),
        runtime.objects,
        DialerPromptUsage(runtime.requester),
        scratch=runtime.settings.data_dir / "media",
        limits=runtime.config.limits,
        audio=runtime.config.audio,
    )
    return MediaService(deps, runtime.clock)
