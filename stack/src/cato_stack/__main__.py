"""`python -m cato_stack` is the `cato` command."""

from cato_stack.cli import main

main()
