"""The subscribers of the demonstration, the behaviour of their numbers, and the expected result."""

from dataclasses import dataclass, field
from typing import Any

CONFIRM_CODE = "1"
WAVES = 2


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber of the demonstration.

    `numbers` maps each number to its rule in the exchange's number plan. `calls` is the expected success of
    each call per number, in order. `hears_all`: every answered call must have received the whole prompt.
    """

    name: str
    story: str
    numbers: dict[str, dict[str, Any]]
    notified: bool
    calls: dict[str, list[bool]]
    hears_all: bool = False
    wave: int = field(default=1)


def people(prompt_s: float) -> list[Person]:
    """Return the subscribers for a prompt of `prompt_s` seconds."""
    after_prompt = prompt_s + 0.5
    confirms = {
        "behaviour": "answer",
        "ring_s": 0.5,
        "digits": [{"after_s": after_prompt, "digits": CONFIRM_CODE}],
    }
    return [
        Person(
            "Ivan Potapov",
            "listens, keys 1",
            {"776401": confirms},
            notified=True,
            calls={"776401": [True]},
            hears_all=True,
        ),
        Person(
            "Olga Popova",
            "keys 1 by SIP INFO",
            {
                "776402": {
                    "behaviour": "answer",
                    "ring_s": 1,
                    "digits": [{"after_s": after_prompt, "digits": CONFIRM_CODE, "by": "info"}],
                }
            },
            notified=True,
            calls={"776402": [True]},
            hears_all=True,
        ),
        Person(
            "Pyotr Smirnov",
            "keys 9, then 1, into the message",
            {"776403": {"behaviour": "answer", "digits": [{"after_s": 1.5, "digits": "91"}]}},
            notified=True,
            calls={"776403": [True]},
        ),
        Person(
            "Anna Orlova",
            "first number busy, second answers",
            {"776404": {"behaviour": "busy"}, "776405": confirms},
            notified=True,
            calls={"776404": [False], "776405": [True]},
            hears_all=True,
        ),
        Person(
            "Sergey Volkov",
            "busy, reached in the second wave",
            {"776406": {**confirms, "answer_on_attempt": 2, "before": "busy"}},
            notified=True,
            calls={"776406": [False, True]},
            hears_all=True,
            wave=2,
        ),
        Person(
            "Elena Kozlova",
            "listens to the end, keys nothing",
            {"776407": {"behaviour": "answer", "ring_s": 0.5}},
            notified=False,
            calls={"776407": [False, False]},
            hears_all=True,
            wave=2,
        ),
        Person(
            "Dmitry Lebedev",
            "hangs up in the middle",
            {"776408": {"behaviour": "answer", "hang_up_after_s": 2}},
            notified=False,
            calls={"776408": [False, False]},
            wave=2,
        ),
        Person(
            "Maria Sokolova",
            "never picks up",
            {"776409": {"behaviour": "no_answer"}},
            notified=False,
            calls={"776409": [False, False]},
            wave=2,
        ),
        Person(
            "Nikolay Morozov",
            "always busy",
            {"776410": {"behaviour": "busy"}},
            notified=False,
            calls={"776410": [False, False]},
            wave=2,
        ),
        Person(
            "Tatyana Fedorova",
            "wrong number",
            {"776411": {"behaviour": "not_found"}},
            notified=False,
            calls={"776411": [False, False]},
            wave=2,
        ),
    ]


def number_plan(everyone: list[Person]) -> dict[str, Any]:
    """Return the exchange's number plan for these subscribers."""
    return {
        "rules": [
            {"number": number, "label": person.story, **rule}
            for person in everyone
            for number, rule in person.numbers.items()
        ]
    }


def settings(prompt_s: float) -> dict[str, Any]:
    """Return the notification settings of the demonstration in the form of the REST API."""
    return {
        "name": "demo",
        "attemptCount": WAVES,
        "attemptDelayS": 2,
        "successCondition": "PICKUP_AND_CONFIRM",
        "confirmCode": CONFIRM_CODE,
        "maxCallDurationS": int(prompt_s) + 4,
        "maxAnswerDelayS": 3,
    }
