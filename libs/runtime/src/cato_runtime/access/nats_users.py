"""The permissions as configuration of nats-server: `python -m cato_runtime.access.nats_users`."""

import json
import sys
from collections.abc import Iterable

from cato_runtime.access.permissions import PERMISSIONS, BrokerUser, Permissions, inbox_prefix

_HEAD = """\
# The users of the broker, one for each service, and what each may publish and subscribe; for nats.conf.
# `make docs` writes it from libs/runtime/src/cato_runtime/access/permissions.py.
"""


def nats_users(password: str | None = None, *, unlimited: str | None = None) -> str:
    """Return `users: [...]` for the section `authorization`.

    Each password comes from the environment of the server (`NATS_PASSWORD_<USER>`), unless all have the same
    `password`. With it there can be one more user, who may do everything.
    """
    users = [
        _user(user, f"${password_variable(user)}" if password is None else json.dumps(password), may)
        for user, may in PERMISSIONS.items()
    ]
    if unlimited is not None:
        users.append(f"  {{user: {unlimited}, password: {json.dumps(password)}}}\n")
    return f"users: [\n{''.join(users)}]\n"


def password_variable(user: BrokerUser) -> str:
    return f"NATS_PASSWORD_{user.upper()}"


def _user(user: BrokerUser, password: str, may: Permissions) -> str:
    deny = f"\n        deny: {_listed(may.never)}" if may.never else ""
    return f"""\
  {{
    user: {user}
    password: {password}
    permissions: {{
      publish: {{
        allow: {_listed(may.publish)}{deny}
      }}
      subscribe: {{
        allow: {_listed((*may.subscribe, f"{inbox_prefix(user)}.>"))}
      }}
    }}
  }}
"""


def _listed(subjects: Iterable[str]) -> str:
    lines = "".join(f'          "{subject}"\n' for subject in sorted(set(subjects)))
    return f"[\n{lines}        ]"


if __name__ == "__main__":
    sys.stdout.write(_HEAD + nats_users())
