"""How people who share their calls are shown."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from cato_contracts.api.examples import SUBSCRIBER_ID

Household = Annotated[
    UUID | None, Field(examples=[SUBSCRIBER_ID], exclude_if=lambda subscriber_id: subscriber_id is None)
]
"""The id of the first of the subscribers who share their calls; None: the subscriber shares none."""

SharedWith = Annotated[list[str], Field(examples=[["Anna Potapova"]], exclude_if=lambda names: not names)]
"""The names of the others who share the calls."""
