"""The errors that services and libraries share.

CatoError
├── ConfigurationError        the service cannot start as it is configured
├── RefusedError              a request is answered with an error of its own `code`
│   ├── InvalidError          ├── NotFoundError    ├── ConflictError      ├── ForbiddenError
│   ├── TooLargeError         ├── UnsupportedMediaError                   ├── UnavailableError
│   ├── PreconditionFailedError
│   └── NotAvailableYetError
└── BrokerError               the broker did not do what was asked of it in time
"""

from typing import ClassVar

from cato_contracts.envelope import ErrorCode, ErrorInfo


class CatoError(Exception):
    """The root of the errors that services know."""


class ConfigurationError(CatoError):
    """The service cannot start as it is configured; the message says which key and why."""


class RefusedError(CatoError):
    """A request that is not carried out, with a sentence for the person behind it."""

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
    """The resource is no longer at the version that the request was meant for."""

    code = ErrorCode.PRECONDITION_FAILED


class ForbiddenError(RefusedError):
    code = ErrorCode.FORBIDDEN


class TooLargeError(RefusedError):
    code = ErrorCode.TOO_LARGE


class UnsupportedMediaError(RefusedError):
    code = ErrorCode.UNSUPPORTED_MEDIA


class UnavailableError(RefusedError):
    """Something behind the service does not answer; worth another try."""

    code = ErrorCode.UNAVAILABLE


class NotAvailableYetError(RefusedError):
    """The operation is documented and not there yet."""

    code = ErrorCode.NOT_IMPLEMENTED


class BrokerError(CatoError):
    """The broker did not do what was asked of it in time; worth another try."""
