"""The encoding of a text file: as the client says, or by its bytes.

Spreadsheets write UTF-8 with a byte order mark, UTF-16, or the code page of the machine. A code page is
recognised by its words: Cyrillic read in another code page has capitals inside words, marks instead of
letters, or both alphabets in one word.
"""

import codecs
import re
from itertools import pairwise

from cato_contracts.api.charsets import known_charset
from cato_contracts.errors import InvalidError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES = ("windows-1251", "cp866", "koi8-r", "mac-cyrillic", "windows-1252")
_SAMPLE = 65_536
_SOME = 20
"""Text of one byte per character has no zeros; of UTF-16, at least one byte in so many is zero."""
_WORD = re.compile(r"[^\W\d_]+")
_PLAUSIBLE = frozenset("№«»—–…“”„’‘°§\u00a0")


def decoded(content: bytes, charset: str | None) -> tuple[str, str]:
    """Return the text without its byte order mark, and the charset.

    Raises:
        InvalidError: if the bytes are not in the charset.

    """
    found = (charset and known_charset(charset)) or _marked(content) or _told(content)
    try:
        return content.decode(found).removeprefix("\ufeff"), found
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise InvalidError(f"the list is not in {found.upper()}: byte {start}") from error


def _marked(content: bytes) -> str | None:
    return next((charset for mark, charset in _MARKS if content.startswith(mark)), None)


def _told(content: bytes) -> str:
    sample = content[:_SAMPLE]
    zeros = sample.count(0)
    if zeros * _SOME > len(sample):
        # UTF-16 without a mark: the upper byte of digits and Latin letters is zero.
        return "utf-16-be" if sample[0::2].count(0) > zeros / 2 else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return max(_CODE_PAGES, key=lambda page: _likeness(sample.decode(page, "replace")))
    return "utf-8"


def _likeness(text: str) -> float:
    """Rate how much a text looks like one; only what is not ASCII counts."""
    score = 0.0
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in word)
        russian = sum("а" <= letter <= "я" or letter == "ё" for letter in word.lower())
        mixed = 0 < cyrillic < len(word)
        turned = any(a.islower() and b.isupper() for a, b in pairwise(word))
        score += (
            russian + (len(word) - cyrillic) / 2 - (cyrillic - russian) - 3 * len(word) * (mixed or turned)
        )
    marks = sum(
        not (character.isascii() or character.isalnum() or character in _PLAUSIBLE) for character in text
    )
    return score - 2 * marks
