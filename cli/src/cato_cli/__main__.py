"""`python -m cato_cli` is the `cato` command."""

from cato_cli.main import main

main()
