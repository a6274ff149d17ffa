"""The Russian catalogue, and words for everything that the API names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from jinja2.ext import babel_extract

import cato_console
from cato_client.models import CallDetail
from cato_console.language.languages import CODES, catalogue, language
from cato_console.views import reasons, states
from cato_console.views.checks import WARNINGS
from cato_console.views.timeline import timeline
from cato_contracts.api.checks import CheckCode
from cato_contracts.api.phone_numbers import PhoneRule
from services.console.tests.fake_api import EVENTS, call

PACKAGE = Path(cato_console.__file__).parent
REPOSITORY = Path(__file__).parents[4]
KEYWORDS = {"mark": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
OTHERS = [code for code in CODES if code != "en"]
PLACE = re.compile(r"%\((\w+)\)s")

Message = tuple[str | None, str | tuple[str, ...]]


def used() -> Iterator[Message]:
    """Yield context and text of every message of the source, the plural with the singular."""
    for file in PACKAGE.rglob("*.py"):
        for _, texts, _, context in extract_from_file("python", file, keywords=KEYWORDS):
            yield context, texts
    options = {"trim_blocks": "true", "lstrip_blocks": "true"}
    for file in PACKAGE.rglob("*.html"):
        with file.open("rb") as template:
            for _, function, texts, _ in babel_extract(template, (*KEYWORDS, "_"), (), options):
                parts = tuple(texts) if isinstance(texts, tuple | list) else (texts,)
                if parts[0] is None:
                    continue  # the message is a variable; the table that it comes from marks it
                if function == "pgettext":
                    yield parts[0], parts[1]
                elif function == "ngettext":
                    yield None, parts[:2]
                else:
                    yield None, parts[0]


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated_and_none_is_unused(code):
    translated = {
        (message.context, message.id if isinstance(message.id, str) else tuple(message.id)): message
        for message in catalogue(code)
        if message.id
    }
    needed = set(used())
    assert len(needed) > 200
    assert needed - set(translated) == set()
    assert set(translated) - needed == set()
    assert list(catalogue(code).obsolete) == []


@pytest.mark.parametrize("code", OTHERS)
def test_every_translation_is_whole(code):
    messages = catalogue(code)
    for message in messages:
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        assert len(forms) == (1 if isinstance(message.id, str) else messages.num_plurals), message.id
        wanted = set(PLACE.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for form in forms:
            assert form, message.id
            assert set(PLACE.findall(form)) == wanted, message.id
            assert message.id in SAME or form != message.id, message.id


SAME = {"CSV", "Excel"}
"""Messages that are the same in every language."""


def test_every_reason_of_the_documentation_has_words():
    text = (REPOSITORY / "docs" / "reasons.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert len(words) > 60
    spoken = language("ru", "Europe/Moscow")
    assert [word for word in words if reasons.reason_text(spoken, word) == word] == []


def test_every_fault_of_a_number_has_words():
    assert {rule.value for rule in PhoneRule} <= set(states.LIST_RULES)


def test_every_warning_of_a_check_has_words():
    counted = {"shared-numbers", "repeated-persons", "implausible-numbers"}
    assert {code.value for code in CheckCode} == set(WARNINGS) | counted


def test_the_words_of_a_station_are_shown_as_they_are():
    shown = timeline(language("ru", "Europe/Moscow"), CallDetail.model_validate({**call(), "events": EVENTS}))
    assert [moment.text for moment in shown.moments][-1] == "Станция сообщает: Busy Here"
