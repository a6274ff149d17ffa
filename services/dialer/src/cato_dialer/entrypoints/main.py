"""The `cato-dialer` command."""

import argparse

from cato_dialer.roles import Role
from cato_runtime.process.early_stop import end_at_stop_signal


def main() -> None:
    """Run the roles that the command line names until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="cato-dialer",
        description="Drive runs and make calls. Settings are CATO_* environment variables.",
    )
    parser.add_argument(
        "--roles",
        type=_roles,
        default=frozenset(Role),
        help="campaign (commands and runs), dial (channels and calls), or both with a comma (default)",
    )
    roles = parser.parse_args().roles
    end_at_stop_signal()
    from cato_dialer.bootstrap import build_roles  # noqa: PLC0415 - these take a second
    from cato_runtime.service import run_service  # noqa: PLC0415

    # A process that only dials answers no commands: readiness of the service is the campaign role's.
    run_service("dialer" if Role.CAMPAIGN in roles else "dialer-dial", build_roles(roles))


def _roles(text: str) -> frozenset[Role]:
    try:
        return frozenset(Role(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not campaign, dial, or both with a comma") from error


if __name__ == "__main__":
    main()
