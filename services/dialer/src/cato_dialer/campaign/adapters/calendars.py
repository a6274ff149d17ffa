"""Public holidays of countries, and the time zones of telephone numbers.

The libraries are imported when they are used first: `holidays` takes 18 MB of memory and 0.1 s,
`phonenumbers` 3 MB. Most dialers use neither.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

_MOST_ZONES = 30


class Calendars:
    """Implements `ports.Calendars`."""

    def is_known(self, calendar: str) -> bool:
        country, _, part = calendar.partition("-")
        parts = _countries().get(country)
        return parts is not None and (not part or part in parts)

    def holidays(self, calendar: str, years: Iterable[int]) -> frozenset[date]:
        from holidays import country_holidays  # noqa: PLC0415 - see above

        country, _, part = calendar.partition("-")
        return frozenset(country_holidays(country, subdiv=part or None, years=list(years)))

    def zones_of(self, number: str) -> tuple[str, ...]:
        return _zones_of(number) if number.startswith("+") else ()


@cache
def _countries() -> dict[str, list[str]]:
    from holidays import list_supported_countries  # noqa: PLC0415 - see above

    return list_supported_countries()


@cache
def _numbers() -> Any:
    import phonenumbers  # noqa: PLC0415 - see above
    import phonenumbers.timezone  # noqa: PLC0415

    return phonenumbers


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zones_of(number: str) -> tuple[str, ...]:
    library = _numbers()
    try:
        parsed = library.parse(number)
    except library.NumberParseException:
        return ()
    found = tuple(zone for zone in library.timezone.time_zones_for_number(parsed) if zone in _known_zones())
    return found if len(found) <= _MOST_ZONES else ()
