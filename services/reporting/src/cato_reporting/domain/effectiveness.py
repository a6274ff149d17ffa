"""Which calls the network served, answered or not: what the network effectiveness ratio counts (ITU-T E.425).

E.425 counts the seizures that end in an answer, user busy, ring no answer, or a rejection by or
unavailability of the terminal: outcomes that the callee caused and not the network. Release causes
(Q.850) are those that RFC 3398, 8.2.6.1, maps to the response codes that our classifier's words stand for.
"""

SERVED = frozenset(
    {
        # 486 and 600: cause 17, user busy.
        "busy",
        "busy-everywhere",
        # It rang until the limit, and we gave up: cause 19, no answer from the user.
        "no-answer",
        # 480: causes 18 to 20 and 31, the user does not respond, does not answer, or is absent.
        "unavailable",
        # 603 and 607 (RFC 8197): cause 21 from the user, the person has refused.
        "declined",
        "unwanted",
    }
)
"""Reasons for which the network is not responsible."""

SERVED_IF_IT_RANG = frozenset(
    {
        # 408: a phone that rang and was not answered, if it rang; a station that reached no phone, if not.
        "request-timeout",
        # 487 that we did not ask for, our own order to hang up, our own loss of the call.
        "request-terminated",
        "cancelled",
        "interrupted",
    }
)
"""Reasons without information on the network; ringing shows that it served the call.

In neither list, among others: 403, which carriers send for calls that they block; 404, 410, 484 and 604, for
numbers that do not exist; 488 and 606, for incompatible terminals; 608 (RFC 8688), for an intermediary that
rejects the call instead of the person; 5xx; and stations that do not respond.
"""


def network_served(*, answered: bool, rang: bool, reason: str) -> bool:
    """Return whether the network served a call that has ended."""
    return answered or reason in SERVED or (rang and reason in SERVED_IF_IT_RANG)
