#!/usr/bin/env python3
"""Print what one package of the workspace needs: `requirements_of.py [OPTION] DIRECTORY`.

The part of `requirements.txt`, hashes included, for the package in DIRECTORY and for the packages of the
workspace that it needs; with `--extras NAMES` (separated by commas) also for those of their extras; with
`--packages` the directories of those packages, the needed first; with `--build-tools` what builds them.
Reads the lock file and the pyproject files under the current directory; standard library only, as images are
built with it.
"""

import re
import sys
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path("requirements.txt")
BUILD_TOOLS = ("hatchling",)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Locked:
    """One entry of the lock file, with the names of those that need it."""

    name: str
    text: str
    needed_by: frozenset[str]


def normal(name: str) -> str:
    """Return the name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> list[Locked]:
    """Return the entries of a lock file that `uv pip compile --generate-hashes` wrote."""
    blocks: list[list[str]] = []
    for line in lock.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            blocks.append([])
        if blocks:
            blocks[-1].append(line)
    return [_entry(block) for block in blocks]


def _entry(block: list[str]) -> Locked:
    name = _NAME.match(block[0])
    if name is None:
        raise SystemExit(f"{LOCK}: cannot read {block[0]!r}")
    needed_by = set()
    for line in block[1:]:
        comment = line.strip().removeprefix("#").strip().removeprefix("via").split("(")[0]
        if line.strip().startswith("#") and comment.strip():
            needed_by.add(normal(comment.strip()))
    return Locked(normal(name.group()), "\n".join(block) + "\n", frozenset(needed_by))


def workspace() -> dict[str, Path]:
    """Return the packages of the workspace, by name, that are under the current directory."""
    files = [*Path("libs").glob("*/pyproject.toml"), *Path("services").glob("*/pyproject.toml")]
    return {normal(_project(file.parent)["name"]): file.parent for file in files}


def _project(directory: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((directory / "pyproject.toml").read_text())["project"]
    return project


def direct(directory: Path, extras: Collection[str] = ()) -> Iterator[str]:
    """Yield the names that a package says it needs, with those of the extras that it has."""
    project = _project(directory)
    of_extras = project.get("optional-dependencies", {})
    more = [each for extra in extras for each in of_extras.get(extra, ())]
    for requirement in [*project.get("dependencies", ()), *more]:
        name = _NAME.match(requirement)
        if name is not None:
            yield normal(name.group())


def packages_of(directory: Path) -> list[Path]:
    """Return the package's directory and those of the workspace that it needs, the needed first."""
    known = workspace()
    found: list[Path] = []
    for name in direct(directory):
        if name in known:
            found += [package for package in packages_of(known[name]) if package not in found]
    return [*found, directory]


def requirements_of(directory: Path, lock: str, extras: Collection[str] = ()) -> list[Locked]:
    """Return every entry of the lock file that the package needs, by itself or through others.

    Raises:
        SystemExit: if something that a package names is not in the lock file.

    """
    known = workspace()
    packages = packages_of(directory)
    names = {name for package in packages for name in direct(package, extras) if name not in known}
    return _closure(names, locked(lock))


def _closure(names: set[str], entries: list[Locked]) -> list[Locked]:
    missing = names - {entry.name for entry in entries}
    if missing:
        raise SystemExit(f"{LOCK} does not have {', '.join(sorted(missing))}: run `make lock`")
    names = set(names)
    while True:
        more = {entry.name for entry in entries if entry.needed_by & names} - names
        if not more:
            return [entry for entry in entries if entry.name in names]
        names |= more


def main(arguments: list[str]) -> None:
    lock = LOCK.read_text()
    match arguments:
        case ["--packages", directory]:
            sys.stdout.writelines(f"{package}\n" for package in packages_of(Path(directory)))
        case ["--build-tools"]:
            sys.stdout.writelines(entry.text for entry in _closure(set(BUILD_TOOLS), locked(lock)))
        case ["--extras", names, directory]:
            entries = requirements_of(Path(directory), lock, names.split(","))
            sys.stdout.writelines(entry.text for entry in entries)
        case [directory]:
            sys.stdout.writelines(entry.text for entry in requirements_of(Path(directory), lock))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
