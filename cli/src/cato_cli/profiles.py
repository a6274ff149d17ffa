"""Profiles: addresses and tokens by name, in a file that only the user can read."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import typer

from cato_cli.problems import UsageProblemError

_LOCAL = "http://127.0.0.1:8080"
_LOCAL_TOKEN = "default"  # noqa: S105 - the well-known token of the manual, which `cato up` accepts locally
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Target:
    """A system and the token for it."""

    url: str
    token: str


@dataclass
class Profiles:
    """The profiles of a user, and which one is used without a word."""

    default: str | None = None
    targets: dict[str, Target] = field(default_factory=dict)


def profiles_file() -> Path:
    """Return where the profiles are."""
    return Path(typer.get_app_dir("cato")) / "profiles.json"


def read_profiles() -> Profiles:
    """Return the profiles; none if there is no file.

    Raises:
        UsageProblemError: if the file cannot be understood.

    """
    file = profiles_file()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        targets = {name: Target(**target) for name, target in found["targets"].items()}
        return Profiles(found["default"], targets)
    except FileNotFoundError:
        return Profiles()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageProblemError(f"{file} is not a file of profiles; remove it and add them again") from error


def write_profiles(profiles: Profiles) -> None:
    """Replace the profiles."""
    file = profiles_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as text:
        json.dump(asdict(profiles), text, ensure_ascii=False, indent=2)
    new.replace(file)


def find_target(name: str | None) -> Target:
    """Return the system to talk to: of the environment, of a profile, or the one on this machine.

    Raises:
        UsageProblemError: if there is no such profile, or no token for the address.

    """
    url, token = os.environ.get("CATO_URL"), os.environ.get("CATO_TOKEN")
    if url and token and name is None:
        return Target(url, token)
    profiles = read_profiles()
    wanted = name or (None if url else profiles.default)
    if wanted is not None:
        if wanted not in profiles.targets:
            known = ", ".join(profiles.targets) or "none"
            raise UsageProblemError(f"there is no profile {wanted!r}; known: {known} (cato profile list)")
        kept = profiles.targets[wanted]
        return kept if name is not None else Target(kept.url, token or kept.token)
    url = url or _LOCAL
    if token is None and urlsplit(url).hostname not in _LOOPBACK:
        raise UsageProblemError(
            f"there is no token for {url}: set CATO_TOKEN, or keep both in a profile (cato profile add)"
        )
    return Target(url, token or _LOCAL_TOKEN)
