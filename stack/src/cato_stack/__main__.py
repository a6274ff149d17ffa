"""`python -m cato_stack` is the `cato` command."""

from cato_cli.main import main

main()
