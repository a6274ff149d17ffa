"""What can go wrong in reporting.

CatoError
├── ReadModelAwayError        the read model cannot be reached, or does not answer in time; worth another try
├── RowsRefusedError          the read model will never take these rows
├── UnknownTimeZoneError      the read model does not know a time zone
└── FeedLostError             the log was not read without a gap; to be read again from the last sure position
"""

from cato_contracts.errors import CatoError


class ReadModelAwayError(CatoError):
    """ClickHouse cannot be reached, is overloaded or still starting."""


class RowsRefusedError(CatoError):
    """A row that no column can hold; the same insert will fail again."""


class UnknownTimeZoneError(CatoError):
    """A name of a time zone that ClickHouse's own list does not have."""


class FeedLostError(CatoError):
    """Messages may be missing from the feed: a consumer that is gone, a lost connection, silence."""
