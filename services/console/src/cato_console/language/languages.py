"""The languages of the pages: messages, plurals, and the form of numbers and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_time, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

CODES = ("en", "ru")
"""English is the language of the source."""
NAMES: Mapping[str, str] = {"en": "English", "ru": "Русский"}

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


def mark(message: str) -> str:
    """Mark a message of a table for translation; the page translates it."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and the zone in which its times are shown."""

    code: str
    zone: ZoneInfo
    locale: Locale
    translations: NullTranslations

    def gettext(self, message: str, **values: object) -> str:
        """Translate a message, and put the values into it."""
        text = self.translations.gettext(message)
        return text % values if values else text

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Translate a message that counts something; `%(num)s` is the number."""
        text = self.translations.ngettext(one, many, number)
        return text % {"num": self.number(number), **values}

    def number(self, value: float) -> str:
        return str(format_decimal(value, format="#,##0.#", locale=self.locale))

    def percent(self, part: float | None) -> str:
        return "–" if part is None else str(format_percent(part, locale=self.locale))

    def time(self, at: datetime) -> str:
        """Return the time of day with seconds."""
        return str(format_time(at.astimezone(self.zone), "HH:mm:ss", locale=self.locale))

    def day(self, day: date) -> str:
        return str(format_date(day, "d MMM", locale=self.locale))

    def weekday(self, number: int) -> str:
        """Return the short name of a day; 0 is Monday."""
        return str(get_day_names("abbreviated", locale=self.locale)[number])

    def moment(self, at: datetime) -> str:
        """Return day and time; the year only where it is not this one."""
        local = at.astimezone(self.zone)
        this_year = local.year == datetime.now(self.zone).year
        return str(
            format_datetime(local, "d MMM HH:mm" if this_year else "d MMM y HH:mm", locale=self.locale)
        )

    def duration(self, seconds: float) -> str:
        """Return a duration with its two largest units."""
        whole = round(seconds)
        if whole < _MINUTE_S:
            return self.gettext("%(n)s s", n=self.number(whole))
        if whole < _HOUR_S:
            minutes, rest = divmod(whole, _MINUTE_S)
            parts = [self.gettext("%(n)s min", n=minutes)]
            return " ".join(parts + ([self.gettext("%(n)s s", n=rest)] if rest else []))
        days, rest = divmod(whole, _DAY_S)
        hours, minutes = divmod(rest // _MINUTE_S, 60)
        parts = [self.gettext("%(n)s d", n=days)] if days else []
        parts += [self.gettext("%(n)s h", n=hours)] if hours or not days else []
        return " ".join(parts + ([self.gettext("%(n)s min", n=minutes)] if minutes and not days else []))

    def since(self, at: datetime, now: datetime | None = None) -> str:
        return self.duration(max(0.0, ((now or datetime.now(UTC)) - at).total_seconds()))


@cache
def language(code: str, zone: str) -> Language:
    return Language(code, ZoneInfo(zone), Locale.parse(code), _translations(code))


def preferred(accepted: str) -> str:
    """Return the language that an `Accept-Language` header asks for."""
    wanted = [part.split(";")[0].strip().replace("-", "_") for part in accepted.split(",")]
    found = negotiate_locale([each.split("_")[0] for each in wanted if each], CODES)
    return found or CODES[0]


def catalogue(code: str) -> Any:
    """Return the messages of a language as Babel reads them."""
    source = files("cato_console") / "locales" / code / "LC_MESSAGES" / "console.po"
    with source.open("rb") as opened:
        return read_po(opened, locale=code)


def _translations(code: str) -> NullTranslations:
    if code == CODES[0]:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return Translations(compiled)


def spoken_list(language: Language, items: Sequence[str]) -> str:
    """Return `a, b and c`."""
    if len(items) < 2:  # noqa: PLR2004 - one item needs no joining
        return "".join(items)
    return language.gettext("%(first)s and %(last)s", first=", ".join(items[:-1]), last=items[-1])
