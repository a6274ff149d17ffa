"""The operations on groups of subscribers and their lists."""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from cato_client.list_models import ListCheck
from cato_client.models import ExportDialect, ListFileFormat, Page, Person, Subscriber, SubscriberGroup
from cato_client.operation import (
    CSV,
    Operation,
    change,
    file_form,
    get,
    list_page,
    path_word,
    read_bytes,
    remove,
)


def add_subscriber_group(name: str, people: Sequence[Person]) -> Operation[SubscriberGroup]:
    return change("PUT", f"/subscriber-groups/add/{path_word(name)}", SubscriberGroup, _people(people))


def add_subscriber_group_csv(name: str, lines: bytes) -> Operation[SubscriberGroup]:
    """Add a group from CSV with the columns `fullName,phones,emails`; `;` separates values in a field."""
    return change("PUT", f"/subscriber-groups/add/{path_word(name)}", SubscriberGroup, lines, CSV)


def replace_subscriber_group(
    group_id: UUID, people: Sequence[Person], *, etag: str | None = None
) -> Operation[SubscriberGroup]:
    """Replace the subscribers; with `etag`, only if the group still has that version."""
    return change("PUT", f"/subscriber-groups/{group_id}", SubscriberGroup, _people(people), etag=etag)


def replace_subscriber_group_csv(
    group_id: UUID, lines: bytes, *, etag: str | None = None
) -> Operation[SubscriberGroup]:
    """Replace the subscribers, from CSV; with `etag`, only if the group still has that version."""
    return change("PUT", f"/subscriber-groups/{group_id}", SubscriberGroup, lines, CSV, etag)


def add_subscriber_list(
    name: str, content: bytes, media_type: str, *, columns: str | None = None
) -> Operation[SubscriberGroup]:
    """Add a group from a file: CSV (a charset parameter is heeded) or XLSX of `operation`.

    `columns` says which headers have which fields: `phones:Mobile,fullName:Person`.
    """
    path = f"/subscriber-groups/add/{path_word(name)}"
    return replace(change("PUT", path, SubscriberGroup, content, media_type), parameters=_given(columns))


def check_subscriber_list(
    content: bytes, media_type: str, *, columns: str | None = None
) -> Operation[ListCheck]:
    """Say what a list contains, with all its faults; nothing is stored."""
    operation = change("PUT", "/subscriber-groups/add/check", ListCheck, content, media_type)
    return replace(operation, parameters={"dryRun": "true", **_given(columns)})


def replace_subscriber_list(
    group_id: UUID,
    content: bytes,
    media_type: str,
    *,
    columns: str | None = None,
    etag: str | None = None,
) -> Operation[SubscriberGroup]:
    """Replace the subscribers from a file; with `etag`, only if the group still has that version."""
    path = f"/subscriber-groups/{group_id}"
    return replace(
        change("PUT", path, SubscriberGroup, content, media_type, etag), parameters=_given(columns)
    )


def check_replacing_list(
    group_id: UUID, content: bytes, media_type: str, *, columns: str | None = None
) -> Operation[ListCheck]:
    """Say what a list contains with which a group would be replaced; nothing is changed."""
    operation = change("PUT", f"/subscriber-groups/{group_id}", ListCheck, content, media_type)
    return replace(operation, parameters={"dryRun": "true", **_given(columns)})


def get_subscriber_group(group_id: UUID) -> Operation[SubscriberGroup]:
    return get(f"/subscriber-groups/{group_id}", SubscriberGroup)


def list_subscriber_groups(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[SubscriberGroup]]:
    return list_page("/subscriber-groups", Page[SubscriberGroup], name=name, limit=limit, cursor=cursor)


def list_subscribers(
    group_id: UUID, *, limit: int = 1000, cursor: str | None = None
) -> Operation[Page[Subscriber]]:
    return list_page(
        f"/subscriber-groups/{group_id}/subscribers", Page[Subscriber], limit=limit, cursor=cursor
    )


def export_subscribers(
    group_id: UUID, *, form: ListFileFormat = "csv", dialect: ExportDialect = "standard"
) -> Operation[bytes]:
    """Get all subscribers of a group as a file. It may be large: use `Client.pieces`."""
    path = f"/subscriber-groups/{group_id}/subscribers"
    return Operation("GET", path, read_bytes, file_form(form, dialect, None))


def export_subscribers_csv(group_id: UUID) -> Operation[bytes]:
    """Get all subscribers of a group as a CSV file. It may be large: use `Client.pieces`."""
    return export_subscribers(group_id)


def remove_subscriber_group(group_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return remove(f"/subscriber-groups/{group_id}", etag)


def _given(columns: str | None) -> dict[str, str]:
    return {} if columns is None else {"columns": columns}


def _people(people: Sequence[Person]) -> bytes:
    # Not as `Subscriber`: the server chooses the ids.
    listed = [Person(**one.model_dump(include=set(Person.model_fields))) for one in people]
    return json.dumps([one.model_dump(by_alias=True) for one in listed], ensure_ascii=False).encode()
