"""The rules by which numbers may be called, such as exclusion lists; the audit log; SIP traces."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from cato_client.models import ExcludedNumber, ExclusionList, Page
from cato_client.models.rules import (
    AuditRecord,
    ContactLimits,
    PacingBounds,
    PacingRule,
    SipTrace,
    StoredContactLimits,
    TraceOrder,
)
from cato_client.operation import (
    CSV,
    Operation,
    body,
    change,
    get,
    list_page,
    path_word,
    read_bytes,
    remove,
)

_CONTACT_LIMITS = "/contact-limits"

ExclusionScope = Literal["USER", "SYSTEM"]


def put_pacing_rule(name: str, bounds: PacingBounds) -> Operation[PacingRule]:
    """Store a pacing rule, in place of the one with this name. For administrators."""
    return change("PUT", _path(name), PacingRule, body(bounds))


def get_pacing_rule(name: str) -> Operation[PacingRule]:
    return get(_path(name), PacingRule)


def list_pacing_rules() -> Operation[Page[PacingRule]]:
    """List all pacing rules; there is one page."""
    return get("/pacing-rules", Page[PacingRule])


def remove_pacing_rule(name: str) -> Operation[None]:
    return remove(_path(name))


def put_contact_limits(
    limits: ContactLimits, *, scope: ExclusionScope = "USER"
) -> Operation[StoredContactLimits]:
    """Store the limits of contacts of the user, or of the system."""
    operation = change("PUT", _CONTACT_LIMITS, StoredContactLimits, body(limits))
    return replace(operation, parameters={"scope": scope})


def get_contact_limits(*, scope: ExclusionScope = "USER") -> Operation[StoredContactLimits]:
    return replace(get(_CONTACT_LIMITS, StoredContactLimits), parameters={"scope": scope})


def remove_contact_limits(*, scope: ExclusionScope = "USER") -> Operation[None]:
    return replace(remove(_CONTACT_LIMITS), parameters={"scope": scope})


def list_audit(*, limit: int = 100, cursor: str | None = None) -> Operation[Page[AuditRecord]]:
    """List the changes that users have made, the newest first. For administrators."""
    return list_page("/audit", Page[AuditRecord], limit=limit, cursor=cursor)


def _path(name: str) -> str:
    return f"/pacing-rules/{path_word(name)}"


def add_exclusion_list(
    name: str, numbers: Sequence[ExcludedNumber], *, scope: ExclusionScope = "USER"
) -> Operation[ExclusionList]:
    """Add a list; once this is answered, no call to one of the numbers begins any more."""
    listed = [each.model_dump(by_alias=True, mode="json", exclude={"call_id"}) for each in numbers]
    content = json.dumps(listed, ensure_ascii=False).encode()
    operation = change("PUT", f"/exclusion-lists/add/{path_word(name)}", ExclusionList, content)
    return replace(operation, parameters={"scope": scope})


def add_exclusion_list_csv(
    name: str, lines: bytes, *, scope: ExclusionScope = "USER"
) -> Operation[ExclusionList]:
    """Add a list from CSV with the columns `number,reason,expiresAt`, of which the first is needed."""
    operation = change("PUT", f"/exclusion-lists/add/{path_word(name)}", ExclusionList, lines, CSV)
    return replace(operation, parameters={"scope": scope})


def get_exclusion_list(list_id: UUID) -> Operation[ExclusionList]:
    return get(f"/exclusion-lists/{list_id}", ExclusionList)


def list_exclusion_lists(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[ExclusionList]]:
    return list_page("/exclusion-lists", Page[ExclusionList], name=name, limit=limit, cursor=cursor)


def remove_exclusion_list(list_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return remove(f"/exclusion-lists/{list_id}", etag)


def list_excluded_numbers(
    list_id: UUID, *, limit: int = 1000, cursor: str | None = None
) -> Operation[Page[ExcludedNumber]]:
    return list_page(f"/exclusion-lists/{list_id}/numbers", Page[ExcludedNumber], limit=limit, cursor=cursor)


def get_excluded_number(list_id: UUID, number: str) -> Operation[ExcludedNumber]:
    """Ask for the entry of a number, in any of its forms; NotFoundError if the list does not have it."""
    return get(f"/exclusion-lists/{list_id}/numbers/{path_word(number)}", ExcludedNumber)


def exclude_number(
    list_id: UUID, number: str, *, reason: str | None = None, expires_at: datetime | None = None
) -> Operation[ExcludedNumber]:
    """Put a number on a list; once this is answered, no call to it begins any more."""
    noted = {"reason": reason, "expiresAt": None if expires_at is None else expires_at.isoformat()}
    content = json.dumps({name: value for name, value in noted.items() if value is not None}).encode()
    return change("PUT", f"/exclusion-lists/{list_id}/numbers/{path_word(number)}", ExcludedNumber, content)


def readmit_number(list_id: UUID, number: str) -> Operation[None]:
    """Take a number off a list."""
    return remove(f"/exclusion-lists/{list_id}/numbers/{path_word(number)}")


def put_sip_trace(name: str, order: TraceOrder) -> Operation[SipTrace]:
    """Start a SIP trace, in place of the one with this name. For administrators, as all about traces."""
    return change("PUT", _trace(name), SipTrace, body(order))


def get_sip_trace(name: str) -> Operation[SipTrace]:
    return get(_trace(name), SipTrace)


def list_sip_traces() -> Operation[Page[SipTrace]]:
    """List all SIP traces; there is one page."""
    return get("/sip-traces", Page[SipTrace])


def get_sip_trace_file(name: str) -> Operation[bytes]:
    """Get what a SIP trace has recorded. It may be large: use `Client.pieces`."""
    return Operation("GET", f"{_trace(name)}/file", read_bytes)


def remove_sip_trace(name: str) -> Operation[None]:
    """End a SIP trace and remove what it has recorded."""
    return remove(_trace(name))


def _trace(name: str) -> str:
    return f"/sip-traces/{path_word(name)}"
