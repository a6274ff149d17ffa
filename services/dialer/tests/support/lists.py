"""Reads uploaded lists as the campaign role does, without an object store."""

import io
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cato_contracts.api.resources import Contact
from cato_contracts.messages.campaign_commands import ListFormat, SubscriberListCheck
from cato_dialer.campaign.adapters.list_reader.sheet_cells import sheet_cells
from cato_dialer.campaign.domain.lists.faults import refusal_of
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder, read_upload
from cato_dialer.campaign.handlers.uploaded_lists import PLACES

GROUP = uuid4()


def check(
    content: str | bytes, form: ListFormat, *, limit: int = 1000, group: UUID = GROUP, **said: Any
) -> tuple[SubscriberListCheck, bytes]:
    """Return what a list contains, and the lines that would be stored."""
    order = ListOrder(format=form, group_id=group, limit=limit, **said)
    lines = io.BytesIO()
    with tempfile.NamedTemporaryFile() as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        found = read_upload(Path(file.name), lines, order, sheet_cells)
    return found, lines.getvalue()


def contacts(
    content: str | bytes, form: ListFormat, group: UUID = GROUP, limit: int = 1000, **said: Any
) -> tuple[bytes, int]:
    """Return the list as it is stored, and the number of lines; raises as the request does."""
    found, lines = check(content, form, limit=limit, group=group, **said)
    if found.fault_count:
        raise refusal_of(found, PLACES[form])
    return lines, found.subscriber_count


def read(content: str | bytes, form: ListFormat, limit: int = 1000, **said: Any) -> list[Contact]:
    lines, count = contacts(content, form, limit=limit, **said)
    found = [Contact.model_validate_json(line) for line in lines.splitlines()]
    assert len(found) == count
    return found
