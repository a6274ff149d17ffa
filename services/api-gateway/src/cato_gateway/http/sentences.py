"""What a request breaks, as a sentence: the field by the client's name, the rule, and what was sent."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

_SHOWN_PROBLEMS = 5
_SHOWN_INPUT = 60
_EXAMPLE_TIME = "2024-03-24T08:30:00Z"


def sentence(errors: Iterable[ErrorDetails]) -> str:
    """Return which fields break which rules."""
    problems = list(errors)
    found = [_one(error) for error in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        found.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    return "; ".join(found)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _text(_: Mapping[str, Any]) -> str:
    return "be text"


def _whole_number(_: Mapping[str, Any]) -> str:
    return "be a whole number"


def _truth(_: Mapping[str, Any]) -> str:
    return "be true or false"


def _list(_: Mapping[str, Any]) -> str:
    return "be a list"


def _object(_: Mapping[str, Any]) -> str:
    return "be a JSON object"


def _uuid(_: Mapping[str, Any]) -> str:
    return "be a UUID"


def _time(_: Mapping[str, Any]) -> str:
    return f"be an ISO 8601 time with its zone, such as {_EXAMPLE_TIME}"


def _pattern(context: Mapping[str, Any]) -> str:
    if context["pattern"] == r"\S":
        return "not be blank"
    return f"match the pattern {context['pattern']}"


_RULES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": _text,
    "string_unicode": _text,
    "string_too_short": lambda context: f"have at least {_count(context['min_length'], 'character')}",
    "string_too_long": lambda context: f"have at most {_count(context['max_length'], 'character')}",
    "string_pattern_mismatch": _pattern,
    "too_short": lambda context: f"have at least {_count(context['min_length'], 'item')}",
    "too_long": lambda context: f"have at most {_count(context['max_length'], 'item')}",
    "int_type": _whole_number,
    "int_parsing": _whole_number,
    "int_from_float": _whole_number,
    "int_parsing_size": lambda _: "be a smaller number",
    "bool_type": _truth,
    "bool_parsing": _truth,
    "list_type": _list,
    "set_type": _list,
    "frozen_set_type": _list,
    "tuple_type": _list,
    "model_type": _object,
    "model_attributes_type": _object,
    "dict_type": _object,
    "uuid_type": _uuid,
    "uuid_parsing": _uuid,
    "datetime_type": _time,
    "datetime_parsing": _time,
    "datetime_from_date_parsing": _time,
    "datetime_object_invalid": _time,
    "timezone_aware": _time,
}
"""The rule after the word "should", by pydantic's kind of error: its own words are made for programmers."""

_SHOULD = re.compile(r"\w+ should (.*)", re.DOTALL)
_PREDICATE = re.compile(r"(should|must|is|has|cannot) ")


def _one(error: ErrorDetails) -> str:
    field = _field(error["loc"]) or "the body"
    match error["type"]:
        case "json_invalid":
            return f"the body is not JSON: {error['msg'].removeprefix('Invalid JSON: ')}"
        case "extra_forbidden":
            return f"unknown field {field}"
        case "missing":
            return f"{field} is required"
        case "value_error":
            rule = error["msg"].removeprefix("Value error, ")
            if not error["loc"]:
                return rule
            return f"{field} {rule}" if _PREDICATE.match(rule) else f"{field}: {rule}"
    return f"{field}{_rule(error)}{_sent(error)}"


def _rule(error: ErrorDetails) -> str:
    if error["type"] in _RULES:
        return f" should {_RULES[error['type']](error.get('ctx', {}))}"
    should = _SHOULD.fullmatch(error["msg"])
    return f" should {should[1]}" if should else f": {error['msg']}"


def _sent(error: ErrorDetails) -> str:
    value = error.get("input")
    if isinstance(value, str | int | float | bool):
        text = json.dumps(value, ensure_ascii=False)
        return f", not {text if len(text) <= _SHOWN_INPUT else text[:_SHOWN_INPUT] + '…'}"
    return ""


def _field(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        if part in {"query", "path", "body", "header"} and not text:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
