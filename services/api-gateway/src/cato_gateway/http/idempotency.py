"""Carry out a request with an `Idempotency-Key` once, and repeat its answer for a day."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Header, Request
from pydantic import AfterValidator
from starlette.responses import Response

from cato_contracts.errors import ErrorCode, RefusedError
from cato_contracts.ids import derived_id
from cato_gateway.errors import KeyReusedError
from cato_gateway.ports import AnswerLedger, KeptAnswer, LedgerEntry

_PATTERN = "^[!-~]+$"
_KEY = re.compile(r"[!-~]{1,255}")
_UNCERTAIN = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL})


def _visible(key: str) -> str:
    if not _KEY.fullmatch(key):
        msg = "should have 1 to 255 visible ASCII characters"
        raise ValueError(msg)
    return key


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A word of the client's own for this request; retries send the same.",
        json_schema_extra={"minLength": 1, "maxLength": 255, "pattern": _PATTERN},
    ),
    AfterValidator(lambda key: key if key is None else _visible(key)),
]


async def answer_once(
    ledger: AnswerLedger,
    request: Request,
    act: Callable[[str], Awaitable[Response]],
    *,
    key: str,
    user: str,
    digest: str,
    started: datetime,
) -> Response:
    """Return the recorded answer of `key`, or call `act` with a command id and record its answer.

    A key belongs to a user, a method and a path. The command id stays the same for a retry after an uncertain
    failure (500, 503), so that the service carries the command out once. A refusal frees the key.

    Raises:
        KeyReusedError: if the key came with another body (`digest`), query or `If-Match` before.
        RefusedError: as `act`.

    """
    entry_id = str(derived_id(user, request.method, request.url.path.rstrip("/"), key))
    # The time is part of the command's identity, so that a key may be used again after a day.
    wanted = LedgerEntry(
        digest=f"{request.url.query}|{request.headers.get('if-match', '')}|{digest}",
        command_id=str(derived_id(entry_id, started.isoformat())),
    )
    entry = await ledger.reserve(entry_id, wanted)
    if entry.digest != wanted.digest:
        raise KeyReusedError(key)
    if entry.answer is not None:
        return _replayed(entry.answer)
    try:
        answer = await act(entry.command_id)
    except RefusedError as error:
        if error.code in _UNCERTAIN:
            raise  # the command may have been carried out: a retry sends the same command
        await ledger.settle(entry_id, entry.model_copy(update={"free": True}))
        raise
    kept = KeptAnswer(
        status=answer.status_code,
        media_type=answer.media_type,
        body=bytes(answer.body).decode(),
        etag=answer.headers.get("ETag"),
    )
    await ledger.settle(entry_id, entry.model_copy(update={"answer": kept}))
    return answer


def _replayed(answer: KeptAnswer) -> Response:
    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.media_type,
        headers={"Idempotent-Replayed": "true"} | ({"ETag": answer.etag} if answer.etag else {}),
    )
