"""Every error message is a sentence that a person has read: new ones go into the list after reading."""

import re
from pathlib import Path

import pytest

from tests.contract.error_catalogue import messages

LIST = Path(__file__).with_name("error_messages.txt")
READ = LIST.read_text(encoding="utf-8").splitlines()


def test_every_message_has_been_read_by_a_person():
    """Read a new message aloud, correct it, then: `python -m tests.contract.error_catalogue > <the list>`."""
    assert messages() == READ


@pytest.mark.parametrize("message", READ)
def test_a_message_reads_as_a_sentence(message):
    words = re.sub(r"\{[^}]*\}\w*", "X", message)
    assert not words.startswith(" ")
    assert not words.endswith((".", " ", ":", "!"))
    assert "  " not in words
    # A statement about something: it begins with the thing in small letters, a name, or a value.
    assert words[0].islower() or words.split()[0] in {"X", "Content-Type", "Content-Encoding", "If-Match"}
    # The field is the subject of the sentence: "from should be ...", not "from: should be ...".
    assert not re.match(r"(?!filename)\w+: (should|must|is|has|not)\b", words)
    assert not re.search(r"\b(None|null|Exception|errno|traceback|str|int|bool|NoneType)\b", words)
