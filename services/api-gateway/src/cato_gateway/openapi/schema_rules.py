"""Rules of fields that the types alone do not say: patterns, formats, what one field means for another."""

from typing import Any

from cato_gateway.openapi import examples

_BLANK = " \\t()-"
_REST = f"[{_BLANK}]*"
PHONE = f"^{_REST}(?:(?:\\+{_REST})?(?:[0-9]{_REST}){{1,31}}|(?:[0-9*#]{_REST}){{1,32}})$"
"""A telephone number as people write it: digits with an optional +, or a code; blanks, -, ( and ) between."""

_NOT_IN_NAMES = "/\\\\\\u0000-\\u001f\\u007f\\ufffd"
ADDRESS_NAME = f"^[^{_NOT_IN_NAMES}]*[^{_NOT_IN_NAMES}\\s][^{_NOT_IN_NAMES}]*$"
"""A name in an address: no slashes, no control characters, not only blanks."""

NOT_BLANK = "\\S"
_TEXT_LENGTH = 2000

_MIDNIGHT: dict[str, Any] = {
    "if": {"properties": {"tillHour": {"const": 24}}, "required": ["tillHour"]},
    "then": {"properties": {"tillMin": {"const": 0}}},
}
_PLAYBACK: dict[str, Any] = {
    "if": {
        "properties": {"successCondition": {"const": "PICKUP_AND_LISTEN_SOME"}},
        "required": ["successCondition"],
    },
    "then": {"required": ["successPlaybackDurationS"]},
}
_TIME = {"type": "string", "format": "date-time"}
_FORMS: dict[str, dict[str, Any]] = {
    "from": _TIME,
    "to": _TIME,
    "number": {"type": "string", "pattern": PHONE},
    "timeZone": {"type": "string", "format": "iana-time-zone"},
}
"""Parameters that are read by rules of their own."""

_BODIES_WITH_NAMES = ("SettingsBody", "ReplacedSettingsBody", "TaskBody", "ReplacedTaskBody")


def complete(schemas: dict[str, Any]) -> None:
    """Add the rules to the schemas of bodies."""
    hours = schemas["TimeRestrictions"]
    hours["properties"]["tillHour"]["maximum"] = 24
    hours.update(_MIDNIGHT)
    for name in ("SettingsBody", "ReplacedSettingsBody"):
        schemas[name].update(_PLAYBACK)
        zone = schemas[name]["properties"]["timeZone"]
        zone["anyOf"] = [{"type": "string", "format": "iana-time-zone"}, {"type": "null"}]
        weekdays = schemas[name]["properties"]["weekdays"]
        weekdays["examples"] = [["MON", "TUE", "WED", "THU", "FRI"]]
    for name in _BODIES_WITH_NAMES:
        fields = schemas[name]["properties"]
        fields["name"]["pattern"] = NOT_BLANK
        for form in fields["userId"]["anyOf"]:
            if form["type"] == "string":
                form["pattern"] = NOT_BLANK


def complete_parameter(parameter: dict[str, Any]) -> None:
    """Add the rules to a parameter of an operation."""
    if parameter["in"] == "query" and parameter["name"] in _FORMS:
        parameter["schema"] = _FORMS[parameter["name"]]
        parameter["example"] = examples.PARAMETERS[parameter["name"]]
    if parameter["in"] == "path" and parameter["name"] in {"name", "filename"}:
        parameter["schema"] |= {"minLength": 1, "maxLength": 200, "pattern": ADDRESS_NAME}
        parameter["description"] = "The name to keep it under."
    if parameter["in"] == "path" and parameter["name"] == "id":
        parameter["description"] = "The id that the server gave it."
