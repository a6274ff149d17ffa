"""Check the limits of the code's layout: sizes of files and folders, and what `bootstrap.py` may contain.

Exit code 1 with one line for each violation.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("bench", "cli", "exchange", "libs", "services", "stack", "tests", "tools")
MOST_SOURCE_LINES = 350
MOST_TEST_LINES = 450
MOST_BOOTSTRAP_LINES = 120
MOST_MODULES_IN_A_FOLDER = 12
NATS_CODE = 10_071
"""Wrong last sequence: stands in one module, the one that translates the errors of NATS."""


def violations(root: Path) -> Iterator[str]:
    files = [file.relative_to(root) for folder in FOLDERS for file in sorted((root / folder).rglob("*.py"))]
    for file in files:
        yield from _of_file(file, (root / file).read_text(encoding="utf-8"))
    modules = Counter(file.parent for file in files if file.name != "__init__.py")
    for folder, count in modules.items():
        if count > MOST_MODULES_IN_A_FOLDER:
            yield f"{folder}: {count} modules, the limit is {MOST_MODULES_IN_A_FOLDER}"
    yield from _repeated_code(root, files)


def _of_file(file: Path, text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if file.name == "bootstrap.py":
        limit = MOST_BOOTSTRAP_LINES
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                yield f"{file}:{node.lineno}: a bootstrap module only wires and has no loop"
    else:
        limit = MOST_TEST_LINES if "tests" in file.parts else MOST_SOURCE_LINES
    if lines > limit:
        yield f"{file}: {lines} lines, the limit is {limit}"


def _repeated_code(root: Path, files: list[Path]) -> Iterator[str]:
    found = [str(file) for file in files if str(NATS_CODE) in (root / file).read_text(encoding="utf-8")]
    if len(found) > 1:
        yield f"{NATS_CODE} stands in {', '.join(found)}; one module must translate the errors of NATS"


def main() -> int:
    found = list(violations(Path(__file__).resolve().parents[1]))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
