"""Request bodies: their type, their size, their encoding, read piece by piece."""

import asyncio
import codecs
import zlib
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from email.message import Message
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from cato_contracts.api.charsets import known_charset
from cato_contracts.errors import InvalidError, TooLargeError, UnsupportedMediaError
from cato_gateway.http.sentences import sentence

B = TypeVar("B", bound=BaseModel)

JSON = "application/json"
CSV = "text/csv"
TABS = "text/tab-separated-values"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OCTETS = "application/octet-stream"

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_PIECE = 256 * 1024


def media_type(request: Request, accepted: Collection[str]) -> str:
    """Return the body's media type without parameters.

    Raises:
        UnsupportedMediaError: if it is none of `accepted`, or missing.

    """
    sent = request.headers.get("content-type", "")
    found = sent.partition(";")[0].strip().lower()
    if found not in accepted:
        wanted = " or ".join(sorted(accepted))
        if not sent:
            raise UnsupportedMediaError(f"Content-Type is missing; it should be {wanted}")
        raise UnsupportedMediaError(f"Content-Type should be {wanted}, not {sent}")
    return found


def charset(request: Request) -> str | None:
    """Return the charset of the body that its Content-Type names, None if it names none.

    Raises:
        UnsupportedMediaError: if there is no such charset for text.

    """
    headers = Message()
    headers["content-type"] = request.headers.get("content-type", "")
    named = headers.get_content_charset()
    if named is None:
        return None
    found = known_charset(named)
    if found is None:
        raise UnsupportedMediaError(f"the charset {named[:60]!r} is not known; UTF-8 is the best choice")
    return found


async def pieces(request: Request, limit: int, patience: timedelta) -> AsyncIterator[bytes]:
    """Yield the decoded body piece by piece; only one piece is in memory.

    Raises:
        TooLargeError: as soon as it is certain that there are more than `limit` bytes.
        UnsupportedMediaError: for a Content-Encoding other than gzip.
        InvalidError: if it is empty, not gzip though it says so, or pauses for longer than `patience`.

    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaError(f"Content-Encoding should be gzip or absent, not {encoding}")
    _refuse_announced(request, limit)
    raw = _received(request, patience)
    total = 0
    async for piece in raw if encoding == "identity" else _inflated(raw):
        total += len(piece)
        if total > limit:
            raise _too_large(limit)
        yield piece
    if total == 0:
        raise InvalidError("the body is empty")


def is_absent(request: Request) -> bool:
    """Return whether the request announces no body (RFC 9112, 6.3)."""
    headers = request.headers
    return "transfer-encoding" not in headers and headers.get("content-length", "0").strip() == "0"


async def read_model(request: Request, model: type[B], limit: int, patience: timedelta) -> tuple[B, bytes]:
    """Return the JSON body as `model`, and its bytes.

    Raises:
        RefusedError: the errors of `pieces`; `InvalidError` names each invalid field and its rule.

    """
    media_type(request, {JSON})
    raw = b"".join([piece async for piece in pieces(request, limit, patience)])
    try:
        return model.model_validate_json(_utf_8(raw), strict=True, by_alias=True, by_name=False), raw
    except ValidationError as error:
        raise InvalidError(sentence(error.errors(include_url=False))) from error


def _utf_8(raw: bytes) -> bytes:
    """Return JSON without its byte order mark; editors write one, also before UTF-16.

    Raises:
        InvalidError: if the text is not in the encoding that its mark stands for.

    """
    if raw.startswith(codecs.BOM_UTF8):
        return raw.removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return raw.decode("utf-16").encode()
        except UnicodeError as error:
            raise InvalidError("the body has the byte order mark of UTF-16, but is not UTF-16") from error
    return raw


def _refuse_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdecimal() and float(announced) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body has more than the limit of {limit} bytes")


async def _received(request: Request, patience: timedelta) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(patience.total_seconds()):
                piece = await anext(stream, None)
        except TimeoutError as error:
            raise InvalidError(f"the body paused for more than {patience.total_seconds():g} s") from error
        if piece is None:
            return
        if piece:
            yield piece


async def _inflated(raw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        async for piece in raw:
            data = piece
            while data:
                # Bounded output: a megabyte can hold a gigabyte of zeros.
                inflated = inflater.decompress(data, _PIECE)
                if inflated:
                    yield inflated
                data = inflater.unconsumed_tail
            if inflater.eof and inflater.unused_data:
                raise InvalidError("the body has more bytes after its gzip stream")
    except zlib.error as error:
        raise InvalidError(f"the body is not gzip: {error}") from error
    if not inflater.eof:
        raise InvalidError("the gzip stream of the body ends early")
