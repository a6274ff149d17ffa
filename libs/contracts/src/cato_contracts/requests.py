"""Requests: commands change state, queries read it. Each names its service and the type of its answer."""

import sys
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field, TypeAdapter

from cato_contracts.envelope import Message
from cato_contracts.model import Frozen

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

R = TypeVar("R")


class Actor(Frozen):
    """The user on whose behalf a request is made.

    An `admin` may act for all users; for an `emergency`, excluded numbers may be called. An `approver` sees
    the runs that need an approval.
    """

    user_id: str
    admin: bool = False
    emergency: bool = Field(default=False, exclude_if=lambda emergency: not emergency)
    approver: bool = Field(default=False, exclude_if=lambda approver: not approver)

    def may_see(self, owner: str) -> bool:
        return self.admin or self.user_id == owner


class Request(Message, Generic[R]):
    """A message that is answered with an `Answer` whose value is an `R`."""

    service: ClassVar[str]
    verb: ClassVar[str]
    actor: Actor

    @classmethod
    def subject(cls) -> str:
        return f"{cls.verb}.{cls.service}.{cls.__name__}"

    @classmethod
    @cache  # creating an adapter costs more than using it
    def answer_type(cls) -> TypeAdapter[Any]:
        """Return the adapter that validates the value of the answer."""
        for base in cls.__mro__:
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
            if arguments:
                return TypeAdapter(arguments[0])
        msg = f"{cls.__name__} names no answer type"
        raise TypeError(msg)


class Command(Request[R], Generic[R]):
    """A request that changes state. The `event_id` of its envelope makes it idempotent."""

    verb: ClassVar[str] = "cmd"


class Query(Request[R], Generic[R]):
    """A request that changes nothing and may be repeated."""

    verb: ClassVar[str] = "qry"


def compressed(content: bytes) -> bytes:
    """Compress bytes for an answer (Zstandard, RFC 8878)."""
    return zstd.compress(content)


def decompressed(content: bytes) -> bytes:
    return zstd.decompress(content)
