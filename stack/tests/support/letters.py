"""`cato dead-letters` with what its commands import."""

from cato_cli.main import main
from cato_stack import letter_work

__all__ = ["letter_work", "main"]
