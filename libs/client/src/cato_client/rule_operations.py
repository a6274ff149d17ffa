"""The operations on the rules by which numbers may be called."""

from cato_client.models import Page
from cato_client.models.rules import PacingBounds, PacingRule
from cato_client.operation import Operation, body, change, get, path_word, remove


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


def _path(name: str) -> str:
    return f"/pacing-rules/{path_word(name)}"
