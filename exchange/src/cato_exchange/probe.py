"""`python -m cato_exchange.probe PORT`: ask the exchange at this port of this host; exit 0 if it answers 200.

For container health checks. Standard library only, so that it starts fast.
"""

import socket
import sys
import uuid

_TIMEOUT_S = 3.0
_MOST_BYTES = 4096


def probe(port: int) -> int:
    """Send OPTIONS by UDP and return the exit code of the process; a failure is written to standard error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_TIMEOUT_S)
        try:
            client.connect(("127.0.0.1", port))
            client.send(_options(port, client.getsockname()[1]))
            status = client.recv(_MOST_BYTES).split(b"\r\n", 1)[0].decode(errors="replace")
        except OSError as error:
            print(f"no answer: {error}", file=sys.stderr)  # noqa: T201 - shown in the result of the health check
            return 1
    print(status)  # noqa: T201 - as above
    return 0 if status.startswith("SIP/2.0 200") else 1


def _options(port: int, own_port: int) -> bytes:
    own = f"127.0.0.1:{own_port}"
    lines = (
        f"OPTIONS sip:127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{uuid.uuid4().hex}",
        f"From: <sip:probe@{own}>;tag={uuid.uuid4().hex}",
        f"To: <sip:127.0.0.1:{port}>",
        f"Call-ID: {uuid.uuid4().hex}",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        "Content-Length: 0",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


if __name__ == "__main__":
    sys.exit(probe(int(sys.argv[1])))
