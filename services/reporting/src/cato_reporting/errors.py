"""The errors of reporting.

CatoError
├── ReadModelAwayError        the read model cannot be reached or does not answer in time; try again
├── RowsRefusedError          the read model cannot store these rows; do not try again
└── UnknownTimeZoneError      the read model does not know a time zone
"""

from cato_contracts.errors import CatoError, PermanentError, TemporaryError


class ReadModelAwayError(TemporaryError):
    """ClickHouse cannot be reached, is overloaded or still starting."""


class RowsRefusedError(PermanentError):
    """A row that no column can hold; the same insert will fail again."""


class UnknownTimeZoneError(CatoError):
    """A time zone that is not in ClickHouse's list."""
