"""The operations of administrators: rules by which numbers may be called, and the audit log."""

from cato_client.models import Page
from cato_client.models.rules import AuditRecord, PacingBounds, PacingRule
from cato_client.operation import Operation, body, change, get, list_page, path_word, remove


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


def list_audit(*, limit: int = 100, cursor: str | None = None) -> Operation[Page[AuditRecord]]:
    """List the changes that users have made, the newest first. For administrators."""
    return list_page("/audit", Page[AuditRecord], limit=limit, cursor=cursor)


def _path(name: str) -> str:
    return f"/pacing-rules/{path_word(name)}"
