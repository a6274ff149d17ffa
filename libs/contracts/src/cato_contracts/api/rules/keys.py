"""The keys that a called person may press, besides the code of the confirmation."""

from typing import Annotated, Protocol
from uuid import UUID

from pydantic import Field

Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
"""A key of the telephone: a digit, `*` or `#`."""

OPT_OUT_LIST = "opt-out"
"""The name of the exclusion list that `optOutKey` uses if the settings name none."""

REPEATS_AT_MOST = 5
"""How often `repeatKey` plays the message again in a call."""


class Keys(Protocol):
    """The keys of notification settings, and what belongs to them."""

    @property
    def opt_out_key(self) -> str | None: ...
    @property
    def opt_out_list(self) -> str | None: ...
    @property
    def opt_out_file(self) -> UUID | None: ...
    @property
    def repeat_key(self) -> str | None: ...


def check_keys(keys: Keys, confirm_code: str) -> None:
    """Check that each key has one meaning; `confirm_code` is empty if no code is awaited.

    Raises:
        ValueError: with a sentence that names the field.

    """
    for name, value in (("optOutList", keys.opt_out_list), ("optOutFile", keys.opt_out_file)):
        if value is not None and keys.opt_out_key is None:
            msg = f"{name} needs optOutKey"
            raise ValueError(msg)
    for name, key in (("optOutKey", keys.opt_out_key), ("repeatKey", keys.repeat_key)):
        if key is not None and key in confirm_code:
            msg = f"{name} should be a key that confirmCode ({confirm_code}) does not have, not {key}"
            raise ValueError(msg)
    if keys.opt_out_key is not None and keys.opt_out_key == keys.repeat_key:
        msg = f"repeatKey should be another key than optOutKey, not {keys.repeat_key}"
        raise ValueError(msg)
