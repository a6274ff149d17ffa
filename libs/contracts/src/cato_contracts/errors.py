"""The errors that services and libraries share.

CatoError
├── ConfigurationError        the configuration is invalid
├── RefusedError              a request is rejected with an error `code`
│   ├── InvalidError          ├── NotFoundError    ├── ConflictError      ├── ForbiddenError
│   ├── TooLargeError         ├── UnsupportedMediaError                   ├── UnavailableError
│   ├── PreconditionFailedError
│   └── NotAvailableYetError
└── BrokerError               the broker did not answer in time
"""

from typing import ClassVar

from cato_contracts.envelope import ErrorCode, ErrorInfo


class CatoError(Exception):
    """The base class of the errors of CATO."""


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


class BrokerError(CatoError):
    """The broker did not answer in time; the operation can be retried."""
