"""What the broker says when it refuses a subject to its user."""

import re

import structlog

log = structlog.get_logger()

_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)
_ALIKE = (("$js.api.", 5), ("$", 3), ("", 1))
"""Subjects that agree in so many tokens are alike: names of consumers, objects, keys and runs follow."""


class Violations:
    """Logs each kind of refused subject once.

    The broker drops what is refused and reports it on the connection, not to the request, which then has no
    answer in time: this line of the log gives the reason. The client reports the subject in lower case.
    """

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def told(self, error: Exception) -> bool:
        """Log the error if it is the first of its kind; return whether it is about a subject at all."""
        found = _VIOLATION.search(str(error))
        if found is None:
            return False
        operation, subject = found[1].lower(), found[2]
        depth = next(tokens for start, tokens in _ALIKE if subject.lower().startswith(start))
        kind = operation, ".".join(subject.split(".")[:depth])
        if kind not in self._told:
            self._told.add(kind)
            log.error(
                "broker refuses a subject to the user of this service", operation=operation, subject=subject
            )
        return True
