"""The programs that the fork server runs: an entry has no command line of its own."""

import sys

from cato_dialer.entrypoints.main import main


def campaign() -> None:
    sys.argv = ["cato-dialer", "--roles", "campaign"]
    main()


def dial() -> None:
    sys.argv = ["cato-dialer", "--roles", "dial"]
    main()
