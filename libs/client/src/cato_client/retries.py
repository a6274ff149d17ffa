"""Which requests are retried, and when; for both clients."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from cato_client.errors import UnreachableError, error_of
from cato_client.operation import Operation

_AGAIN = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to retry: for `total_s` after the first try, with waits that double up to `longest_s`."""

    total_s: float = 60.0
    first_s: float = 0.1
    longest_s: float = 5.0

    def wait_s(self, tried: int) -> float:
        """Return the seconds to wait after `tried` tries; randomised, so that clients spread out."""
        wait = min(self.first_s * 2.0 ** (tried - 1), self.longest_s)
        return wait * (0.5 + random.random() / 2)  # noqa: S311 - not a secret


def address(base_url: str) -> str:
    return f"{base_url.rstrip('/')}/api/v1"


def authorization(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer plain:{token}"}


def broken_off(operation: Operation[Any], error: httpx.TransportError) -> UnreachableError:
    return UnreachableError(f"{operation.method} {operation.path}: connection lost: {error!r}")


class Tries:
    """The tries of one operation."""

    def __init__(self, operation: Operation[Any], patience: Patience, now: float) -> None:
        self._operation = operation
        self._patience = patience
        self._end = now + patience.total_s
        self._tried = 0

    def wait_after(self, outcome: httpx.Response | httpx.TransportError, now: float) -> float | None:
        """Return the seconds to wait before the next try, or None if this answer is final.

        Raises:
            ApiError: if the API rejects the request for a permanent reason, or the time is up.
            UnreachableError: if the time is up without an answer.

        """
        self._tried += 1
        wait = self._patience.wait_s(self._tried)
        if isinstance(outcome, httpx.TransportError):
            if now + wait > self._end:
                what = f"{self._operation.method} {self._operation.path}"
                raise UnreachableError(f"{what}: no answer: {outcome!r}") from outcome
            return wait
        if outcome.is_success:
            return None
        if outcome.status_code in _AGAIN and now + wait <= self._end:
            return max(wait, self._asked_for(outcome))
        if self._was_removed_before(outcome):
            return None
        raise error_of(outcome)

    def _was_removed_before(self, answer: httpx.Response) -> bool:
        """Return whether an earlier try, whose answer was lost, has removed the resource."""
        return (
            self._operation.method == "DELETE"
            and answer.status_code == HTTPStatus.NOT_FOUND
            and self._tried > 1
        )

    def _asked_for(self, answer: httpx.Response) -> float:
        asked = answer.headers.get("Retry-After", "")
        return min(float(asked), self._patience.longest_s) if asked.isdecimal() else 0.0
