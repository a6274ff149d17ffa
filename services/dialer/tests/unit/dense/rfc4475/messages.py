"""The messages of RFC 4475, written with the markup of its section 2.

`<allOneLine>` joins lines, `<hex>` gives octets, `<repeat count=N>` repeats a text. Lines end with CRLF.
"""

import re
from pathlib import Path

_HERE = Path(__file__).parent
_HEADING = re.compile(r"(?m)^=== (\w+): .*\n")
_ONE_LINE = re.compile(rb"<allOneLine>\n(.*?)\n</allOneLine>", re.DOTALL)
_HEX = re.compile(rb"<hex>([0-9A-F]*)</hex>")
_REPEAT = re.compile(rb"<repeat count=(\d+)>(.*?)</repeat>")


def _octets(text: str) -> bytes:
    data = text.encode().removesuffix(b"\n")
    data = _ONE_LINE.sub(lambda found: found[1].replace(b"\n", b""), data)
    data = _REPEAT.sub(lambda found: found[2] * int(found[1]), data)
    data = data.replace(b"\n", b"\r\n") + b"\r\n"
    return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), data)


def _read(file: str) -> dict[str, bytes]:
    _, *parts = _HEADING.split((_HERE / file).read_text())
    return {name: _octets(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


MESSAGES: dict[str, bytes] = {
    name: data for file in ("valid.txt", "invalid.txt", "semantics.txt") for name, data in _read(file).items()
}
