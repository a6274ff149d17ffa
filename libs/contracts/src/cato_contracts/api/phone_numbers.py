"""Telephone numbers as people write them: the one place for what is a number, and for why something is not.

A number is digits with an optional leading `+`, or a code of digits, `*` and `#`. Blanks, dashes, parentheses
and invisible marks between them are left out, a `tel:` address (RFC 3966) and the apostrophe by which
spreadsheets mark text are understood, full-width characters are taken for their plain forms. Whatever could
be two numbers, or a number with an extension, is refused: a number that nobody has written is never called.
"""

import re
from enum import StrEnum

MAX_PHONE_LENGTH = 32
MAX_PHONE_TEXT = 128
"""The longest text of a number, with all that is left out of it."""
MAX_INTERNATIONAL_DIGITS = 15
"""The digits after `+` (E.164, 6.2.1)."""

_BLANKS = (
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_DASHES = "-\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_PARENTHESES = "()\uff08\uff09"
_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
_APOSTROPHES = "'\u02bc\u2018\u2019\uff07"
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0B: "+", 0xFF0A: "*", 0xFF03: "#"}


def _one_of(*characters: str) -> str:
    return "[" + "".join(characters).replace("-", r"\-") + "]"


_D = "[0-9\uff10-\uff19]"
_PLUS = "[+\uff0b]"
_STAR_OR_HASH = "[*#\uff0a\uff03]"
_W = _one_of(_BLANKS)
_N = _one_of(_DASHES, _PARENTHESES, _INVISIBLE) + "*"
_B = _one_of(_BLANKS, _DASHES, _PARENTHESES, _INVISIBLE) + "*"
_TEL = _one_of(_BLANKS, _DASHES, _PARENTHESES, _INVISIBLE, ".") + "*"
_START = f"^{_B}(?:{_one_of(_APOSTROPHES)}{_B})?"


def _part(digits: str) -> str:
    """Return the pattern of digits without a blank between them."""
    return f"(?:{_D}{_N}){digits}"


_INTERNATIONAL_PREFIX = "(?:{0}{B}{0}|{0}{B}{1}{B}{1}|{8}{B}{1}{B}{0})".format(
    *(f"[{digit}{chr(0xFF10 + digit)}]" for digit in range(9)), B=_B
)
_SPACED = f"(?={_part('+')}(?:{_W}{_B}{_part('+')})+$)"
"""Digits with a blank between some of them: it may be the blank between two numbers."""
_AREA_CODE = f"[0\uff10]{_N}{_part('{3,5}')}"
_TWO_SPACED = (
    f"{_SPACED}(?:"
    # A whole number, then a blank and more digits.
    f"(?:{_D}{_B})*?{_part('{10,}')}{_W}{_B}{_D}"
    # Nothing but long parts; in "07911 123456" the first one is an area code.
    f"|(?!{_AREA_CODE}{_W}{_B}{_part('+')}$){_part('{5,}')}(?:{_W}{_B}{_part('{5,}')})+$"
    # More digits than a number has, a prefix of international calls aside.
    f"|(?!{_INTERNATIONAL_PREFIX})(?:{_D}{_B}){{16,}}"
    f"|(?:{_D}{_B}){{19,}})"
)
_TWO_SPACED_INTERNATIONAL = (
    f"{_PLUS}{_B}{_SPACED}(?:(?:{_D}{_B})*?{_part('{10,}')}{_W}{_B}{_D}"
    f"|{_part('{7,}')}(?:{_W}{_B}{_part('{7,}')})+$)"
)
_INTERNATIONAL = f"{_PLUS}{_B}(?:{_D}{_B}){{1,{MAX_INTERNATIONAL_DIGITS}}}"
_CODE = f"(?!(?:{_D}{_B}){{7,}}{_STAR_OR_HASH})(?:(?:{_D}|{_STAR_OR_HASH}){_B}){{1,{MAX_PHONE_LENGTH}}}"
_ADDRESS = (
    f"[Tt][Ee][Ll]:{_TEL}(?:{_PLUS}{_TEL}(?:{_D}{_TEL}){{1,{MAX_INTERNATIONAL_DIGITS}}}"
    f"|(?:{_D}{_TEL}){{1,{MAX_PHONE_LENGTH}}})"
)

PHONE_PATTERN = (
    f"{_START}(?!{_TWO_SPACED})(?!{_TWO_SPACED_INTERNATIONAL})(?:{_INTERNATIONAL}|{_CODE}|{_ADDRESS})$"
)
"""The rule of `normalised_phone`; besides, a text has at most MAX_PHONE_TEXT characters."""

PHONE_SCHEMA: dict[str, str | int] = {
    "pattern": r"[0-9*#\uff03\uff0a\uff10-\uff19]",
    "maxLength": MAX_PHONE_TEXT,
}
"""What JSON Schema says about a number: less than the rule, which would be unreadable there."""

_PLAIN = re.compile(rf"\+?[0-9]{{1,{MAX_INTERNATIONAL_DIGITS}}}")
_PHONE = re.compile(PHONE_PATTERN.removesuffix("$"))
_TWO = re.compile(f"{_START}(?:{_TWO_SPACED}|{_TWO_SPACED_INTERNATIONAL})")
_TO_NUMBER = str.maketrans(
    dict.fromkeys(_BLANKS + _DASHES + _PARENTHESES + _INVISIBLE + _APOSTROPHES + ".", "")
    | {chr(code): plain for code, plain in _FULL_WIDTH.items()}
    | dict.fromkeys("TtEeLl:", "")
)

_TRUNK_ZERO = re.compile(rf"(?<=[0-9\uff10-\uff19]){_W}*[(\uff08]{_W}*[0\uff10]{_W}*[)\uff09](?=.*{_D})")
_SCIENTIFIC = re.compile(r"\s*['’]?[+-]?\d+(?:[.,]\d*)?[eEеЕ][+-]?\d+\s*")
_EXTENSION = re.compile(
    r"(?i)\d[\s()]*(?:(?:,|;|/)?\s*(?:доб|вн|доп|ext|extension|x|х|p|w|t)[a-zа-я]*\.?[\s:=]*|[,;#*]+\s*)\d{1,6}\D*$"
)
_SEPARATED = re.compile(r"\d\D*(?:[,;/|\\\n\r&+]|\bили\b|\bи\b|\bor\b|\band\b)\D*\d")
_ENOUGH_FOR_A_NUMBER = 3
_EXTENSION_DIGITS = 6
_FULL_DIGITS = 7


class PhoneRule(StrEnum):
    """Why a text is no telephone number."""

    NOT_A_NUMBER = "not-a-number"
    EXTENSION = "number-with-extension"
    SEVERAL = "several-numbers"
    SCIENTIFIC = "scientific-notation"
    TOO_LONG = "too-long"


class PhoneError(ValueError):
    """A text is no telephone number; `rule` says which rule it breaks."""

    def __init__(self, rule: PhoneRule, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def normalised_phone(text: str) -> str:
    """Return a dialable number: digits with an optional leading `+`, or a code of digits, `*` and `#`.

    Raises:
        PhoneError: for anything else.

    """
    if _PLAIN.fullmatch(text):
        return text
    if len(text) > MAX_PHONE_TEXT or not _PHONE.fullmatch(text):
        raise _error(text)
    number = text.translate(_TO_NUMBER)
    if number.startswith("+") and (trunk := _TRUNK_ZERO.search(text)):
        # "+44 (0)20 ...": the zero is for calls within the country.
        return f"{text[: trunk.start()]}{text[trunk.end() :]}".translate(_TO_NUMBER)
    return number


def is_extension_of(number: str, text: str) -> bool:
    """Return whether `text`, which follows a comma after `number`, is an extension rather than a number."""
    digits, more = _digits(number), _digits(text)
    return len(digits) >= _FULL_DIGITS and 0 < len(more) < _FULL_DIGITS - 1 and "+" not in text


def _extension_error(text: str) -> PhoneError:
    return PhoneError(
        PhoneRule.EXTENSION,
        f"{_quoted(text)} is a telephone number with an extension: give the number alone, an extension cannot"
        " be dialled",
    )


def _error(text: str) -> PhoneError:
    if len(text) > MAX_PHONE_TEXT:
        return _not_a_number(text, PhoneRule.TOO_LONG, f"it has {len(text)} characters")
    if _SCIENTIFIC.fullmatch(text):
        return _not_a_number(
            text,
            PhoneRule.SCIENTIFIC,
            "a spreadsheet has rounded it; format the column as text and enter the number again",
        )
    digits = _digits(text)
    if _EXTENSION.search(text) and len(digits) >= _FULL_DIGITS:
        return _extension_error(text)
    if _TWO.search(text) or (_SEPARATED.search(text) and len(digits) >= 2 * _ENOUGH_FOR_A_NUMBER):
        return _not_a_number(text, PhoneRule.SEVERAL, "it may be several; give each one separately")
    return _long_number(text, digits) or _not_a_number(
        text, PhoneRule.NOT_A_NUMBER, "digits with an optional leading +, or *, # codes"
    )


def _long_number(text: str, digits: str) -> PhoneError | None:
    plain = text.translate(_TO_NUMBER)
    if plain.startswith("+") and plain[1:].isdecimal() and len(digits) > MAX_INTERNATIONAL_DIGITS:
        limit = f"at most {MAX_INTERNATIONAL_DIGITS} digits follow a + (E.164), not {len(digits)}"
        return _not_a_number(text, PhoneRule.TOO_LONG, limit)
    if len(plain) > MAX_PHONE_LENGTH and not plain.strip("0123456789*#"):
        limit = f"a telephone number has at most {MAX_PHONE_LENGTH} characters, not {len(plain)}"
        return PhoneError(PhoneRule.TOO_LONG, limit)
    return None


def _not_a_number(text: str, rule: PhoneRule, reason: str) -> PhoneError:
    return PhoneError(rule, f"{_quoted(text)} is not a telephone number: {reason}")


def _digits(text: str) -> str:
    return "".join(character for character in text.translate(_TO_NUMBER) if character in "0123456789")


def _quoted(text: str) -> str:
    shown = 60
    return repr(text if len(text) <= shown else f"{text[:shown]}…")
