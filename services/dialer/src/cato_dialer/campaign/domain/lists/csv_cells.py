"""The cells of a CSV file, as spreadsheets write them."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from cato_dialer.campaign.domain.lists.columns import Mapped, Meaning, is_header, meaning_of
from cato_dialer.campaign.domain.lists.faults import UnreadableError

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 65_536
_SAMPLE_ROWS = 10
_KNOWN = frozenset({Meaning.FULL_NAME, Meaning.NAME_PART, Meaning.PHONES, Meaning.EMAILS})


def csv_cells(text: str, mapped: Mapped | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with the number of their last line, from 1.

    Columns are separated as Excel's `sep=` line says, else by what gives a header.

    Raises:
        UnreadableError: where the text is not CSV.

    """
    skipped = 0
    delimiter = ""
    first, _, rest = text.partition("\n")
    if first.startswith("sep="):
        delimiter = first[4:5]
        text, skipped = rest, 1
    if delimiter not in _DELIMITERS:
        delimiter = _delimiter_of(text, mapped)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num + skipped, row
    except csv.Error as error:
        raise UnreadableError(reader.line_num + skipped, "broken-csv", str(error)) from error


def _delimiter_of(text: str, mapped: Mapped | None) -> str:
    return max(_DELIMITERS, key=lambda delimiter: _score(text[:_SAMPLE], delimiter, mapped))


def _score(sample: str, delimiter: str, mapped: Mapped | None) -> tuple[bool, int, int]:
    """Rate a delimiter: whether it gives a header, how many known columns, and how many columns."""
    best = (False, 0, 0)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        for row in islice(reader, _SAMPLE_ROWS):
            known = sum(meaning_of(cell) in _KNOWN for cell in row)
            best = max(best, (is_header(row, mapped), known, len(row)))
    except csv.Error:  # the field is longer than the module takes; the strict reader says where
        return best
    return best
