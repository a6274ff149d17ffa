"""Audio as bytes over HTTP: the WAV header of A-law, and ranges (RFC 9110, 14)."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import StrEnum

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from cato_contracts.alaw_wav import wav_header
from cato_contracts.api.resources import AudioFile
from cato_contracts.errors import RefusedError
from cato_gateway.http.conditional import client_has
from cato_gateway.http.error_responses import problem
from cato_gateway.http.streaming import started
from cato_runtime.objects import ObjectMissingError, ObjectStore

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_MOST_DIGITS = 18
_BEYOND = 10**_MOST_DIGITS
_CACHE = "private, max-age=31536000, immutable"  # the content under an id never changes


class AudioFormat(StrEnum):
    """The file format of the content."""

    WAV = "wav"
    ALAW = "alaw"


async def audio_answer(
    request: Request, objects: ObjectStore, file: AudioFile, form: AudioFormat
) -> Response:
    """Answer with the content of `file`, or the part of it that the request asks for.

    Raises:
        RefusedError: if the store has lost the content.
        BrokerError: if the store does not answer.

    """
    size = file.content.size
    head = wav_header(size) if form is AudioFormat.WAV else b""
    tail = b"\0" if form is AudioFormat.WAV and size % 2 else b""  # RIFF chunks are even
    total = len(head) + size + len(tail)
    etag = f'"{file.sha256}-{form}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": _CACHE}
    if client_has(request, etag):
        return Response(status_code=304, headers=headers)
    wanted = _wanted(request, etag, total)
    if wanted is not None and wanted[0] >= wanted[1]:
        unsatisfied = {"Content-Range": f"bytes */{total}"}
        message = f"the range has no byte of the {total} bytes of the file"
        return problem(request.scope, 416, message, resource_id=str(file.id), headers=unsatisfied)
    start, end = wanted or (0, total)
    headers["Content-Length"] = str(end - start)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
    try:
        stored = await started(objects.stream(file.content))
    except ObjectMissingError as error:
        message = "the content of this audio file is missing from the store"
        raise RefusedError(message, resource_id=str(file.id)) from error
    content = _window(_whole(head, stored, tail), start, end)
    media_type = "audio/wav" if form is AudioFormat.WAV else "audio/x-alaw-basic"
    return StreamingResponse(content, 206 if wanted else 200, headers, media_type)


def _wanted(request: Request, etag: str, total: int) -> tuple[int, int] | None:
    """Return the requested range as [start, end), empty if there is no such byte; None for all of it.

    A header other than a single byte range is ignored (RFC 9110, 14.2), and so is a range of other content.
    """
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if asked is None or (condition is not None and condition.strip() != etag):
        return None
    first, last = asked.groups()
    if not first and not last:
        return None
    if not first:
        return max(0, total - _position(last)), total
    if last and _position(last) < _position(first):
        return None
    return _position(first), min(total, _position(last) + 1) if last else total


def _position(digits: str) -> int:
    """Return a position; one with so many digits that Python does not read them is beyond any content."""
    plain = digits.lstrip("0")
    return int(plain or "0") if len(plain) <= _MOST_DIGITS else _BEYOND


async def _whole(head: bytes, body: AsyncIterator[bytes], tail: bytes) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for piece in body:
        yield piece
    if tail:
        yield tail


async def _window(pieces: AsyncIterator[bytes], start: int, end: int) -> AsyncIterator[bytes]:
    position = 0
    async with aclosing(pieces):  # type: ignore[type-var]  # it is a generator
        async for piece in pieces:
            part = piece[max(0, start - position) : max(0, end - position)]
            position += len(piece)
            if part:
                yield part
            if position >= end:
                return
