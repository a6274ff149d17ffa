"""The check of the packages finds what must not be in a file of requirements."""

import pytest

from tools.check_dependencies import of_lock

GOOD = """\
anyio==4.1 \\
    --hash=sha256:aa
    # via httpx
h11==1.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
"""


def test_pinned_packages_with_hashes_are_accepted():
    assert not list(of_lock("r.txt", GOOD))


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("idna>=3 \\\n    --hash=sha256:cc\n", "idna>=3"),
        ("idna==3\n", "idna==3"),
        ("--index-url https://example.org/simple\n", "--index-url"),
        ("idna @ https://example.org/idna.whl \\\n    --hash=sha256:cc\n", "https://example.org"),
    ],
)
def test_anything_else_is_a_violation(added, told):
    (first, *_) = of_lock("r.txt", GOOD + added)
    assert told in first
