"""The errors that services and libraries share.

CatoError
├── ConfigurationError        the configuration is invalid
├── RefusedError              a request is rejected with an error `code`
│   ├── InvalidError          ├── NotFoundError    ├── ConflictError      ├── ForbiddenError
│   ├── TooLargeError         ├── UnsupportedMediaError                   ├── UnavailableError
│   ├── PreconditionFailedError
│   └── NotAvailableYetError
├── TemporaryError            the same attempt can succeed after `delay_s`
│   └── BrokerError           the broker did not answer in time
└── PermanentError            the same attempt can never succeed
    └── UndecodableError      the bytes are not a message of these contracts

A delivered message is acknowledged when it was processed, given back after a TemporaryError, and kept as a
dead letter after a PermanentError (`cato_jetstream.Delivery`).
"""

from enum import StrEnum
from typing import ClassVar

from cato_contracts.model import Frozen


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
    NOT_IMPLEMENTED = "not_implemented"
    INTERNAL = "internal"


class ErrorInfo(Frozen):
    """The reason of a rejection. `message` says which field, what is wrong with it, and what is allowed."""

    code: ErrorCode
    message: str
    resource_id: str | None = None


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


class NotAvailableYetError(RefusedError):
    """The operation is documented but not implemented."""

    code = ErrorCode.NOT_IMPLEMENTED


class BrokerError(TemporaryError):
    """The broker did not answer in time; the operation can be retried."""
