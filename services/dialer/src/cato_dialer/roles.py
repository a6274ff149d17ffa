"""The roles of a dialer process."""

from enum import StrEnum


class Role(StrEnum):
    """To drive runs, to make calls."""

    CAMPAIGN = "campaign"
    DIAL = "dial"
