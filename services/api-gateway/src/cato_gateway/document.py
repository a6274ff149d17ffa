"""Prints the OpenAPI document, as it is kept in `docs/openapi.json`: `python -m cato_gateway.document`."""

import json
import sys

from cato_gateway.testing import MemoryStack


def main() -> None:
    document = MemoryStack().app.openapi()
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
