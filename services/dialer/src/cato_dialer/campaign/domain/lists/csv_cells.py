"""The cells of a CSV file, as spreadsheets write them."""

import csv
import io
from collections.abc import Iterator

from cato_dialer.campaign.domain.lists.faults import UnreadableError


def csv_cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with the number of their line, from 1.

    As Excel writes them, `;` may separate columns and `sep=;` may be the first line.

    Raises:
        UnreadableError: where the text is not CSV.

    """
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = ""
    if first.startswith("sep="):
        delimiter = first[4:5]
        text, skipped = rest, 1
        first = rest.partition("\n")[0]
    if not delimiter.strip():
        delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num + skipped, row
    except csv.Error as error:
        raise UnreadableError(reader.line_num + skipped, "broken-csv", str(error)) from error
