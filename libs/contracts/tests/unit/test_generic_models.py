from typing import Generic, TypeVar

from pydantic._internal import _docs_extraction

from cato_contracts.model import Frozen

T = TypeVar("T")


class Box(Frozen, Generic[T]):
    content: T
    """What is in it."""


def described(model):
    return {name: field.description for name, field in model.model_fields.items()}


def test_a_generic_model_with_arguments_keeps_descriptions_without_a_search_for_its_source(monkeypatch):
    searched = []
    search = _docs_extraction._extract_source_from_frame
    monkeypatch.setattr(
        _docs_extraction, "_extract_source_from_frame", lambda cls: searched.append(cls) or search(cls)
    )
    boxed = Box[int]
    assert described(boxed) == {"content": "What is in it."}

    class Labelled(boxed):
        label: str
        """What is written on it."""

    assert described(Labelled) == {"content": "What is in it.", "label": "What is written on it."}
    assert searched == [Labelled]
