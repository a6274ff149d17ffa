"""ffmpeg as the decoder: confined processes, which can read only the bytes that hold audio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import imageio_ffmpeg
import structlog

from cato_contracts.errors import InvalidError
from cato_media.adapters.decoder_limits import ENVIRONMENT, confined
from cato_media.adapters.ffmpeg_arguments import decode_arguments, survey_arguments
from cato_media.adapters.ffmpeg_survey import read_survey
from cato_media.domain.mixing import PLAIN, Mixing, Survey
from cato_media.domain.sound import PROMPT_RATE, Sound
from cato_runtime.process.child_process import kill

log = structlog.get_logger()

_BLOCK_BYTES = 10 * PROMPT_RATE
_SHOWN_ERRORS = 2000
_KEPT_BEGINNING, _KEPT_END = 16 * 1024, 64 * 1024


class FfmpegDecoder:
    """Measures a file, and decodes it to A-law, 8 kHz, mono.

    The encoder of ffmpeg chooses the nearest A-law level for each sample. `wall_clock` limits the time of one
    process, `cpu_seconds` its processor time.
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

    async def survey(
        self, source: Path, sound: Sound, *, max_seconds: float, loudness: bool = False
    ) -> Survey:
        """Return the levels of the first `max_seconds`; with `loudness` also their loudness (EBU R 128).

        Raises:
            InvalidError: if the audio is damaged or takes too long to decode.

        """
        arguments = survey_arguments(source, sound, max_seconds=max_seconds, loudness=loudness)
        report = _Report()
        async with aclosing(self._run(arguments, sound, report)) as output:
            async for _ in output:
                pass
        return read_survey(report.text)

    async def decode(self, source: Path, sound: Sound, mixing: Mixing = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield blocks of A-law. Close the generator to stop early.

        Raises:
            InvalidError: if the audio is damaged or takes too long to decode.

        """
        async with aclosing(self._run(decode_arguments(source, sound, mixing), sound, _Report())) as output:
            async for block in output:
                yield block

    async def _run(
        self, arguments: list[str], sound: Sound, report: "_Report"
    ) -> AsyncGenerator[bytes, None]:
        deadline = asyncio.get_running_loop().time() + self._wall_clock.total_seconds()
        try:
            async with self._process(arguments, report) as process:
                while block := await _block(process, deadline):
                    yield block
                async with asyncio.timeout_at(deadline):
                    code = await process.wait()
        except TimeoutError as error:
            raise InvalidError("the audio takes too long to decode") from error
        if code != 0:
            log.info("decoder failed", code=code, errors=report.text[-_SHOWN_ERRORS:])
            raise InvalidError(f"the {sound.kind.upper()} file is damaged: its audio cannot be decoded")

    @asynccontextmanager
    async def _process(
        self, arguments: list[str], report: "_Report"
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a process while the context lasts; the report is complete when it ends."""
        process = await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            start_new_session=True,
            limit=_BLOCK_BYTES,
            preexec_fn=self._confine,
        )
        reading = asyncio.create_task(report.read(process))
        try:
            yield process
        finally:
            await kill(process)
            await reading


class _Report:
    """Standard error of a process: all is read, so that the process never blocks; both ends are kept."""

    def __init__(self) -> None:
        self._beginning = self._end = b""

    async def read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None  # noqa: S101 - it was started with a pipe
        while chunk := await process.stderr.read(_KEPT_BEGINNING):
            room = _KEPT_BEGINNING - len(self._beginning)
            self._beginning += chunk[:room]
            self._end = (self._end + chunk[room:])[-_KEPT_END:]

    @property
    def text(self) -> str:
        return (self._beginning + self._end).decode(errors="replace")


async def _block(process: asyncio.subprocess.Process, deadline: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    try:
        async with asyncio.timeout_at(deadline):
            return await process.stdout.readexactly(_BLOCK_BYTES)
    except asyncio.IncompleteReadError as end:
        return end.partial
