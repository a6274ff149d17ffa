"""The configuration as Markdown tables: `python -m cato_runtime.configuration.reference [MODULE:CLASS ...]`.

Generated from the models, so that it matches what the services read: the configuration file, the environment
variables of every service, and those of the settings classes that are named.
"""

import importlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from cato_runtime.configuration.config import Config
from cato_runtime.configuration.settings import ServiceSettings

_UNIONS = (Union, UnionType)
_LISTS = (tuple, list, frozenset, set)


def reference(more: tuple[type[BaseSettings], ...] = ()) -> str:
    """Return both tables; `more` are additional settings of single services."""
    lines = ["### Keys of `cato.yaml`", "", "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [_row(f"`{key}`", field) for key, field in config_keys(Config)]
    lines += ["", "### Environment variables", "", "| variable | type | default | meaning |"]
    lines += ["| --- | --- | --- | --- |"]
    classes: tuple[type[BaseSettings], ...] = (ServiceSettings, *more)
    for settings in classes:
        lines += [_row(f"`{name}`", field) for name, field in variables(settings)]
    return "\n".join(lines) + "\n"


def config_keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key as `stations[].auth.username`, a section before its own keys."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner, many = _section_of(field.annotation)
        yield (f"{key}[]" if many else key), field
        if inner is not None:
            yield from config_keys(inner, f"{key}[]." if many else f"{key}.")


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every environment variable that the settings read."""
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            alias = alias.choices[0]
        yield (alias if isinstance(alias, str) else f"{prefix}{name}".upper()), field


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    cells = (name, _type(field), _default(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the section behind an annotation, if there is one, and whether the key holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in get_args(annotation):
        inner, _ = _section_of(argument)
        if inner is not None:
            return inner, get_origin(annotation) in _LISTS
    return None, False


def _type(field: FieldInfo) -> str:
    return _type_name(field.annotation) + _bounds(field)


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) in _UNIONS:
        return _type_name(next(part for part in get_args(annotation) if part is not NoneType))
    if get_origin(annotation) in _LISTS:
        return f"list of {_type_name(get_args(annotation)[0])}"
    if not isinstance(annotation, type):
        return str(annotation)
    if issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    known = (name for kind, name in _NAMES.items() if issubclass(annotation, kind))
    return next(known, annotation.__name__)


_NAMES: dict[type, str] = {
    BaseModel: "section",
    PurePath: "path",
    bool: "true or false",
    str: "text",
    int: "integer",
    float: "number",
    timedelta: "duration (`PT10S`)",
}


def _bounds(field: FieldInfo) -> str:
    least = most = None
    for rule in field.metadata:
        match rule:
            case Ge(ge=value) | Gt(gt=value):
                least = value
            case Le(le=value) | Lt(lt=value):
                most = value
            case MinLen():
                return ", not empty"
            case _:
                continue
    if least is None and most is None:
        return ""
    if most is None:
        return f", at least {least}"
    return f", {least}..{most}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if _section_of(field.annotation)[0] is not None:
        return _of_section(value)
    return _literal(value)


def _of_section(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return "; ".join(_given(item) for item in value)
    return "see its keys"


def _given(section: BaseModel) -> str:
    pairs = section.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return "`" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "`"


def _literal(value: Any) -> str:
    match value:
        case None:
            text = "unset"
        case bool():
            text = f"`{str(value).lower()}`"
        case float():
            text = f"`{value:g}`"
        case timedelta():
            text = f"{value.total_seconds():g} s"
        case frozenset() | set() if value:
            kind = type(next(iter(value)))
            text = _literal(tuple(member for member in kind if member in value))
        case tuple():
            text = ", ".join(_literal(item) for item in value) or "none"
        case Enum():
            text = f"`{value.value}`"
        case _:
            text = f"`{value}`"
    return text


def main() -> None:
    more = []
    for name in sys.argv[1:]:
        module, _, attribute = name.partition(":")
        more.append(getattr(importlib.import_module(module), attribute))
    sys.stdout.write(reference(tuple(more)))


if __name__ == "__main__":
    main()
