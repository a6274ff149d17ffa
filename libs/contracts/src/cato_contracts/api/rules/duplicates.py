"""What is told about a list of subscribers."""

from pydantic import Field

from cato_contracts.model import Resource


class ListDuplicates(Resource):
    """What occurs more than once in a list."""

    persons: int = Field(default=0, examples=[0])
    """Subscribers with the name and the numbers of an earlier one."""

    numbers: int = Field(default=0, examples=[1])
    """Numbers of more than one person."""
