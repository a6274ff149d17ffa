"""Uploaded lists of subscribers: read, validated, and written as they are stored."""

import io
from uuid import UUID

from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_dialer.campaign.domain.lists.csv_cells import csv_cells
from cato_dialer.campaign.domain.lists.json_rows import JsonRows
from cato_dialer.campaign.domain.lists.read_list import Rows, read_list
from cato_dialer.campaign.domain.lists.table_rows import TableRows


def contacts(content: bytes, form: ListFormat, group_id: UUID, limit: int) -> tuple[bytes, int]:
    """Return the list as JSON lines of `Contact`, and the number of lines.

    Raises:
        InvalidListError: with the faults: the subscriber (from 0; in CSV the line, from 1) and the field.
        TooLargeError: if there are more than `limit` subscribers.

    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(f"the list is not in UTF-8: byte {error.start}") from error
    rows: Rows = JsonRows(text) if form is ListFormat.JSON else TableRows(csv_cells(text))
    lines = io.BytesIO()
    reading = read_list(rows, lines, group_id=group_id, limit=limit)
    if reading.faults.count:
        raise reading.faults.error()
    return lines.getvalue(), reading.count
