"""The program `cato-gateway`."""

from cato_gateway.bootstrap import build
from cato_runtime.service import run_service


def main() -> None:
    """Run the gateway until SIGTERM or SIGINT; SIGHUP reads the tokens again."""
    run_service("gateway", build)


if __name__ == "__main__":
    main()
