"""Query parameters that several collections have."""

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many items.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`nextCursor` of the page before; absent: the first page.")
]
NamePart = Annotated[
    str | None, Query(max_length=200, description="Only resources whose name has this in it, in any case.")
]
