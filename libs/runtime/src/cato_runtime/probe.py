"""`python -m cato_runtime.probe [PATH]`: ask this container's health endpoint; exit 0 if the answer is 200.

For container health checks: the images have no HTTP client. Standard library only, so that it starts fast.
"""

import http.client
import os
import sys
from pathlib import Path

_TIMEOUT_S = 3.0


def probe(path: str) -> int:
    """Return the exit code of the process; a failure is written to standard error."""
    host = os.environ.get("CATO_HEALTH_HOST", "127.0.0.1")
    connection = http.client.HTTPConnection(_REACHED_AT.get(host, host), _port(), timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(200).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer: {error}", file=sys.stderr)  # noqa: T201 - shown in the result of the health check
        return 1
    finally:
        connection.close()
    print(answer.status, body)  # noqa: T201 - as above
    return 0 if answer.status == http.client.OK else 1


_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def _port() -> int:
    port = int(os.environ.get("CATO_HEALTH_PORT") or os.environ.get("CATO_PORT") or "8080")
    if port == 0:
        in_data = Path(os.environ.get("CATO_DATA_DIR", "build/data")) / "health.port"
        return int(Path(os.environ.get("CATO_HEALTH_PORT_FILE") or in_data).read_text())
    return port


if __name__ == "__main__":
    sys.exit(probe(sys.argv[1] if len(sys.argv) > 1 else "/readyz"))
