"""Check the packages: each is pinned by version and hash, from no named index, and has a permissive licence.

It needs no network. `make audit` asks for known vulnerabilities, which does. Exit code 1 with one line for
each violation.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

LOCKS = (
    "requirements.txt",
    "requirements-uv.txt",
    "tests/deploy/requirements.txt",
    "tests/openapi/requirements.txt",
)
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|MPL|Mozilla Public License|Zlib|CC0", re.IGNORECASE)
COPYLEFT = re.compile(r"\b[AL]?GPL|General Public License", re.IGNORECASE)
EXCEPTIONS = {
    "pjsua2-python": "GNU GPL 2 or later: an extra of the dialer (SECURITY.md)",
    "axe-playwright-python": "MPL 2.0, named in no metadata: for tests only",
}


def violations(root: Path) -> Iterator[str]:
    for lock in LOCKS:
        yield from of_lock(lock, (root / lock).read_text(encoding="utf-8"))
    pinned = _pins((root / "requirements.txt").read_text(encoding="utf-8"))
    for each in distributions():
        name = _normal(each.name)
        if name in pinned:
            yield from _of_package(name, each, pinned[name])


def of_lock(lock: str, text: str) -> Iterator[str]:
    """Yield what is wrong with the text of a file of pinned requirements."""
    for line in text.splitlines():
        if "://" in line or line.lstrip().startswith(("-i", "--index", "--extra-index", "--find-links")):
            yield f"{lock}: names an index or an address: {line.strip()}"
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        name = block.split("\n", 1)[0]
        if re.match(r"[A-Za-z0-9]", name) and ("==" not in name or "--hash=sha256:" not in block):
            yield f"{lock}: not pinned by version and hash: {name}"


def _pins(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(_normal(name), set()).add(version)
    return found


def _of_package(name: str, each: Distribution, versions: set[str]) -> Iterator[str]:
    if each.version not in versions:
        yield f"{name} {each.version} is installed, requirements.txt has {', '.join(sorted(versions))}"
    licence = _licence(each)
    if name not in EXCEPTIONS and (COPYLEFT.search(licence) or not PERMISSIVE.search(licence)):
        yield f"{name}: the licence is {licence or 'not stated'}; see SECURITY.md"


def _licence(each: Distribution) -> str:
    # The text of a licence may stand in the second field: its name is at the beginning.
    stated = [
        line[:80] for key in ("License-Expression", "License") for line in each.metadata.get_all(key, [])
    ]
    kinds = [kind for kind in each.metadata.get_all("Classifier", []) if kind.startswith("License ::")]
    return " ".join([*stated, *kinds]).strip()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    found = list(violations(Path(__file__).resolve().parents[1]))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
