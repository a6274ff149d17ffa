"""The subscribers of a JSON list: one array, or several one after another."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cato_dialer.campaign.domain.lists.faults import UnreadableError

_BLANKS = re.compile(r"[ \t\r\n]*")
_LONGEST_INTEGER = 30


class JsonRows:
    """Yields the elements of all arrays with their index, from 0."""

    what = "subscriber"

    def __init__(self, text: str) -> None:
        self._text = text

    def column(self, field: str, item: int | None) -> None:  # noqa: ARG002 - as in a table
        return None

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Read one subscriber at a time.

        Raises:
            UnreadableError: where the text is not JSON, or no array.

        """
        text = self._text
        decoder = json.JSONDecoder(parse_int=_integer)
        at = _after_blanks(text, 0)
        if at == len(text):
            raise UnreadableError(None, "empty", "the list is empty: a JSON array of subscribers is expected")
        index = 0
        while at < len(text):
            if text[at] != "[":
                raise UnreadableError(
                    None, "broken-json", f"a JSON array of subscribers is expected at character {at}"
                )
            at = _after_blanks(text, at + 1)
            if text[at : at + 1] == "]":
                at = _after_blanks(text, at + 1)
                continue
            while True:
                element, at = _decode(decoder, text, at, index)
                yield index, element
                index += 1
                at = _after_blanks(text, at)
                separator = text[at : at + 1]
                at = _after_blanks(text, at + 1)
                if separator == "]":
                    break
                if separator != ",":
                    raise UnreadableError(
                        index - 1, "broken-json", "broken JSON after it: , or ] is expected"
                    )


def _decode(decoder: json.JSONDecoder, text: str, at: int, index: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise UnreadableError(
            index, "broken-json", f"broken JSON: {error.msg} at character {error.pos}"
        ) from error
    except RecursionError as error:
        raise UnreadableError(index, "broken-json", "the JSON is nested too deeply") from error


def _integer(digits: str) -> int:
    """Read an integer. No field takes one, so its value does not matter if it is too long for Python."""
    return int(digits[:_LONGEST_INTEGER])


def _after_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
