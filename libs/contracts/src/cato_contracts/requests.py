"""Requests: commands change something, queries only look. Each names its service and its answer."""

from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import TypeAdapter

from cato_contracts.envelope import Message
from cato_contracts.model import Frozen

R = TypeVar("R")


class Actor(Frozen):
    """On whose behalf a request is made: the user of the token, and whether it may act for others."""

    user_id: str
    admin: bool = False

    def may_see(self, owner: str) -> bool:
        return self.admin or self.user_id == owner


class Request(Message, Generic[R]):
    """A message that is answered with an `R` (in an `Answer`)."""

    service: ClassVar[str]
    verb: ClassVar[str]
    actor: Actor

    @classmethod
    def subject(cls) -> str:
        return f"{cls.verb}.{cls.service}.{cls.__name__}"

    @classmethod
    @cache  # making one costs more than using it
    def answer_type(cls) -> TypeAdapter[Any]:
        """Return the adapter that reads the answer's value."""
        for base in cls.__mro__:
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
            if arguments:
                return TypeAdapter(arguments[0])
        msg = f"{cls.__name__} names no answer type"
        raise TypeError(msg)


class Command(Request[R], Generic[R]):
    """A request that changes something. Its envelope's `event_id` makes it idempotent."""

    verb: ClassVar[str] = "cmd"


class Query(Request[R], Generic[R]):
    """A request that changes nothing."""

    verb: ClassVar[str] = "qry"
