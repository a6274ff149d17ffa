"""The errors that services and libraries share.

CatoError
├── ConfigurationError        the configuration is invalid
├── RefusedError              a request is rejected with an error `code`
│   ├── InvalidError          ├── NotFoundError    ├── ConflictError      ├── ForbiddenError
│   │   └── InvalidListError      an uploaded list, with its faults
│   ├── TooLargeError         ├── UnsupportedMediaError                   ├── UnavailableError
│   ├── PreconditionFailedError                   ├── OverloadedError
│   └── NotAvailableYetError
├── TemporaryError            the same attempt can succeed after `delay_s`
│   └── BrokerError           the broker did not answer in time
└── PermanentError            the same attempt can never succeed
    └── UndecodableError      the bytes are not a message of these contracts

A delivered message is acknowledged when it was processed, given back after a TemporaryError, and kept as a
dead letter after a PermanentError (`cato_jetstream.Delivery`).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from cato_contracts.model import Frozen, Resource


class ErrorCode(StrEnum):
    """Why a request was rejected. The gateway maps each code to one HTTP status."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    NOT_IMPLEMENTED = "not_implemented"
    INTERNAL = "internal"


class ListFault(Resource):
    """A fault of an uploaded list: where it is, and the rule that is broken."""

    index: int | None = Field(default=None, examples=[None])
    """The subscriber in a JSON list, from 0; null in a table."""

    row: int | None = Field(default=None, examples=[3])
    """The row in a table (CSV: the line), from 1 with the header; null in JSON."""

    field: str | None = Field(default=None, examples=["phones"])
    """The field of the subscriber; null if the fault is in no field."""

    column: str | None = Field(default=None, examples=["Телефон"])
    """The header of the column in a table; null in JSON."""

    rule: str = Field(examples=["several-numbers"])
    """The broken rule, as a word."""

    message: str = Field(
        examples=["'776413 776450' is not a telephone number: it may be several; give each one separately"]
    )
    """What is wrong, and what is allowed."""


class ErrorInfo(Frozen):
    """The reason of a rejection. `message` says which field, what is wrong with it, and what is allowed.

    `faults` are those of an uploaded list, the first hundred of `fault_count`.
    """

    code: ErrorCode
    message: str
    resource_id: str | None = None
    faults: list[ListFault] = Field(default_factory=list, exclude_if=lambda faults: not faults)
    fault_count: int = Field(default=0, exclude_if=lambda count: count == 0)


class CatoError(Exception):
    """The base class of the errors of CATO."""


class TemporaryError(CatoError):
    """The same attempt can succeed after `delay_s` seconds."""

    delay_s: float = 1.0


class PermanentError(CatoError):
    """The same attempt can never succeed."""


class UndecodableError(PermanentError, ValueError):
    """The bytes are not a message of these contracts: the JSON, type, version or body is invalid."""


class ConfigurationError(CatoError):
    """The configuration is invalid; the message says which key and why."""


class RefusedError(CatoError):
    """A request is rejected; `message` gives the reason for the user."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, *, resource_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.resource_id = resource_id

    def info(self) -> ErrorInfo:
        return ErrorInfo(code=self.code, message=self.message, resource_id=self.resource_id)


class InvalidError(RefusedError):
    code = ErrorCode.INVALID


class InvalidListError(InvalidError):
    """An uploaded list has faults: `faults` are the first of the `fault_count` that there are."""

    def __init__(self, message: str, *, faults: Sequence[ListFault], fault_count: int) -> None:
        super().__init__(message)
        self.faults = list(faults)
        self.fault_count = fault_count

    def info(self) -> ErrorInfo:
        return super().info().model_copy(update={"faults": self.faults, "fault_count": self.fault_count})


class NotFoundError(RefusedError):
    code = ErrorCode.NOT_FOUND


class ConflictError(RefusedError):
    code = ErrorCode.CONFLICT


class PreconditionFailedError(RefusedError):
    """The resource has another version than the request was made for."""

    code = ErrorCode.PRECONDITION_FAILED


class ForbiddenError(RefusedError):
    code = ErrorCode.FORBIDDEN


class TooLargeError(RefusedError):
    code = ErrorCode.TOO_LARGE


class UnsupportedMediaError(RefusedError):
    code = ErrorCode.UNSUPPORTED_MEDIA


class UnavailableError(RefusedError):
    """A part that the service depends on does not answer; the request can be retried."""

    code = ErrorCode.UNAVAILABLE


class OverloadedError(RefusedError):
    """The service has too much to do and has not begun; the request can be sent again later."""

    code = ErrorCode.OVERLOADED


class NotAvailableYetError(RefusedError):
    """The operation is documented but not implemented."""

    code = ErrorCode.NOT_IMPLEMENTED


class BrokerError(TemporaryError):
    """The broker did not answer in time; the operation can be retried."""
