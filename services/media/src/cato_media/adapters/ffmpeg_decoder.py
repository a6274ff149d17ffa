"""ffmpeg as the decoder: one confined process per file, which can read only the bytes that hold audio."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import imageio_ffmpeg
import structlog

from cato_contracts.errors import InvalidError
from cato_media.adapters.decoder_limits import ENVIRONMENT, confined
from cato_media.domain.sound import PROMPT_RATE, Coding, Sound

log = structlog.get_logger()

_BLOCK_BYTES = 10 * PROMPT_RATE
_SHOWN_ERRORS = 2000
_STEREO = 2

# Mix down to mono first, with weights that add up to one: a signal on both sides keeps its level, and nothing
# exceeds full scale. Then resample with a real low-pass filter, in double precision throughout.
_RESAMPLER = "aresample=ochl=mono:osf=dblp:rematrix_maxval=1:osr=8000:resampler=soxr:precision=28"
# A band-limited signal overshoots, and floating point has no full scale. The limit lies just above the
# largest level of A-law, so that A-law input passes unchanged.
_LIMITER = "alimiter=limit=0.985:attack=1:release=20:level=disabled:latency=1"
_FILTERS = f"{_RESAMPLER},{_LIMITER},aresample=osf=s16"
_DECODERS = ",".join(("mp3float", "mp3", *(f"pcm_{coding}" for coding in Coding if coding is not Coding.MP3)))


class FfmpegDecoder:
    """Decodes to A-law, 8 kHz, mono.

    The encoder of ffmpeg chooses the nearest A-law level for each sample. `wall_clock` limits the time of one
    file, `cpu_seconds` the processor time.
    """

    def __init__(
        self,
        *,
        program: str | None = None,
        wall_clock: timedelta = timedelta(seconds=60),
        cpu_seconds: int = 30,
    ) -> None:
        self._program = program or imageio_ffmpeg.get_ffmpeg_exe()
        self._wall_clock = wall_clock
        self._confine = confined(cpu_seconds)

    async def decode(self, source: Path, sound: Sound) -> AsyncGenerator[bytes, None]:
        """Yield blocks of A-law. Close the generator to stop early.

        Raises:
            InvalidError: if the audio is damaged or takes too long to decode.

        """
        process = await asyncio.create_subprocess_exec(
            self._program,
            *_arguments(source, sound),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            start_new_session=True,
            limit=_BLOCK_BYTES,
            preexec_fn=self._confine,
        )
        errors = asyncio.create_task(_errors(process))
        deadline = asyncio.get_running_loop().time() + self._wall_clock.total_seconds()
        try:
            while block := await _block(process, deadline):
                yield block
            async with asyncio.timeout_at(deadline):
                code = await process.wait()
            if code != 0:
                log.info("decoder failed", code=code, errors=await errors)
                raise InvalidError(f"the {sound.kind.upper()} file is damaged: its audio cannot be decoded")
        except TimeoutError as error:
            raise InvalidError("the audio takes too long to decode") from error
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await errors


def _arguments(source: Path, sound: Sound) -> list[str]:
    arguments = [
        "-nostdin",
        "-hide_banner",
        "-v",
        "error",
        "-xerror",
        "-threads",
        "1",
        "-filter_threads",
        "1",
    ]
    # The format is given, so no content can turn the file into a playlist or another container. The only
    # protocol is a section of this one file.
    arguments += [
        "-protocol_whitelist",
        "subfile,file",
        "-codec_whitelist",
        _DECODERS,
        "-f",
        str(sound.coding),
    ]
    if sound.coding is not Coding.MP3:
        arguments += ["-sample_rate", str(sound.rate), "-ch_layout", _layout(sound)]
    arguments += ["-i", f"subfile,,start,{sound.start},end,{sound.end},,:file:{source}"]
    return [*arguments, "-map", "0:a:0", "-af", _FILTERS, "-c:a", "pcm_alaw", "-f", "alaw", "pipe:1"]


def _layout(sound: Sound) -> str:
    if sound.channels == 1:
        return "mono"
    if sound.channels == _STEREO:
        return "stereo"
    if sound.speaker_mask and sound.speaker_mask.bit_count() == sound.channels:
        return f"0x{sound.speaker_mask:x}"
    return f"{sound.channels}c"


async def _block(process: asyncio.subprocess.Process, deadline: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    try:
        async with asyncio.timeout_at(deadline):
            return await process.stdout.readexactly(_BLOCK_BYTES)
    except asyncio.IncompleteReadError as end:
        return end.partial


async def _errors(process: asyncio.subprocess.Process) -> str:
    """Read all of standard error, so that the decoder never blocks on it, and return the beginning."""
    assert process.stderr is not None  # noqa: S101 - it was started with a pipe
    kept = b""
    while chunk := await process.stderr.read(_SHOWN_ERRORS):
        kept = (kept + chunk)[:_SHOWN_ERRORS]
    return kept.decode(errors="replace")
