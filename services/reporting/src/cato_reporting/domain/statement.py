"""A statement of an analyst: read token by token, and rejected unless it is one plain SELECT.

The text that is returned is made of the tokens alone, without comments, so that the database reads what was
checked here. What the statement reads is checked on its syntax tree (`statement_tree`).
"""

import re
from dataclasses import dataclass

MAX_LENGTH = 50_000

MAX_DEPTH = 100
"""Brackets within each other."""

_TOKENS = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<text>'(?:[^'\\\x00-\x08\x0a-\x1f]|\\[^\x00-\x1f]|'')*')
    | (?P<name>`[^`\\\x00-\x1f]*`|"[^"\\\x00-\x1f]*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+)
    | (?P<bracket>[()\[\]{}])
    | (?P<sign>[-+*%=<>!|,.:?]|/(?!\*))
    """,
    re.VERBOSE | re.DOTALL,
)
_SHOWN = 40
_STARTS = frozenset({"select", "with"})
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REASONS = {
    "into": "a statement cannot write files",
    "format": "the format is chosen by a parameter of the request, not in the statement",
    "settings": "a statement cannot change settings",
}


class StatementError(ValueError):
    """A statement is not one that analysts may execute; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked statement; `subqueries` are the names that it gives to subqueries with WITH."""

    text: str
    subqueries: frozenset[str]


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """The limits of a statement of an analyst: time, memory, and size of the result."""

    seconds: int = 30
    memory_mb: int = 512
    rows: int = 10_000
    result_mb: int = 20


def read_statement(text: str) -> Statement:
    """Return the statement that a text consists of.

    Raises:
        StatementError: if it is none, or more than one, or has something that a plain SELECT does not need.

    """
    tokens = _tokens(text)
    words = [token for token in tokens if token.strip()]
    first = next((word for word in words if word != "("), "")
    if first.lower() not in _STARTS:
        raise StatementError("a statement should begin with SELECT or WITH")
    for word in words:
        if word.lower() in _REASONS:
            raise StatementError(_REASONS[word.lower()])
    _check_brackets(words)
    return Statement("".join(tokens).strip(), frozenset(_named_subqueries(words)))


def _tokens(text: str) -> list[str]:
    """Return the tokens; a blank or a comment is one blank."""
    if len(text) > MAX_LENGTH:
        raise StatementError(f"a statement has at most {MAX_LENGTH} characters")
    text = text.rstrip().removesuffix(";")
    tokens: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            raise StatementError(_unreadable(text, position))
        position = match.end()
        tokens.append(" " if match.lastgroup in {"blank", "comment"} else match[0])
    return tokens


def _check_brackets(words: list[str]) -> None:
    opened: list[str] = []
    for word in words:
        if word in _OPENED_BY.values():
            opened.append(word)
            if len(opened) > MAX_DEPTH:
                raise StatementError(f"a statement has at most {MAX_DEPTH} brackets within each other")
        elif word in _OPENED_BY and (not opened or opened.pop() != _OPENED_BY[word]):
            raise StatementError(f"a bracket is closed that is not open: {word}")
    if opened:
        raise StatementError(f"a bracket is not closed: {opened[-1]}")


def _unreadable(text: str, position: int) -> str:
    if text[position] == ";":
        return "there is more after the semicolon; give one statement at a time"
    if text[position] in "'\"`":
        return f"a quotation mark is not closed: {text[position:][:_SHOWN]}"
    if text.startswith("/*", position):
        return "a comment is not closed"
    return f"the character {text[position]!r} is not allowed outside of quotation marks"


def _named_subqueries(words: list[str]) -> list[str]:
    return [
        name
        for name, word, bracket in zip(words, words[1:], words[2:], strict=False)
        if word.lower() == "as" and bracket == "(" and _PLAIN_NAME.fullmatch(name)
    ]
