"""Verification of the demonstration: report and exchange must both agree with the number plan."""

import json
from pathlib import Path
from typing import Any

from cato_stack.demo.scenario import Person

_PACKETS_PER_SECOND = 50.0
_RATE_TOLERANCE = 1.0


def problems(document: dict[str, Any], everyone: list[Person], prompt: bytes, records: Path) -> list[str]:
    """Return one sentence per difference.

    `prompt` is the A-law audio that was played, `records` the exchange's directory of call records.
    """
    found = _status_problems(document, everyone)
    calls = [
        json.loads(file.read_text()) for file in sorted(records.glob("*.json")) if file.name != "summary.json"
    ]
    found += _record_problems(document, everyone, prompt, records, calls)
    return found


def _status_problems(document: dict[str, Any], everyone: list[Person]) -> list[str]:
    report = document["report"]
    total = sum(len(outcomes) for person in everyone for outcomes in person.calls.values())
    succeeded = sum(sum(outcomes) for person in everyone for outcomes in person.calls.values())
    expected = {
        "subscriberCount": len(everyone),
        "subscriberNotified": sum(person.notified for person in everyone),
        "subscriberFailed": sum(not person.notified for person in everyone),
        "subscriberNotYetNotified": 0,
        "callsTotal": total,
        "callsSucceeded": succeeded,
        "callsFailed": total - succeeded,
        "callsInProgress": 0,
        "waveCurrent": max(person.wave for person in everyone),
        "activePhase": False,
    }
    found = [
        f"report.{field} is {report[field]}, not {value}"
        for field, value in expected.items()
        if report[field] != value
    ]
    for person, status in zip(everyone, document["subscribers"], strict=True):
        if status["subscriber"]["fullName"] != person.name:
            found.append(f"{status['subscriber']['fullName']} is listed in place of {person.name}")
        if status["notified"] != person.notified:
            found.append(f"{person.name}: notified is {status['notified']}")
        calls = {phone["number"]: [call["success"] for call in phone["calls"]] for phone in status["phones"]}
        if calls != person.calls:
            found.append(f"{person.name}: the calls are {calls}, not {person.calls}")
    return found


def _record_problems(
    document: dict[str, Any],
    everyone: list[Person],
    prompt: bytes,
    records: Path,
    calls: list[dict[str, Any]],
) -> list[str]:
    found = []
    if len(calls) != document["report"]["callsTotal"]:
        found.append(
            f"the exchange saw {len(calls)} calls, the report says {document['report']['callsTotal']}"
        )
    for person in everyone:
        answered = [
            call for call in calls if call["number"] in person.numbers and call["answer_ms"] is not None
        ]
        if person.hears_all and not answered:
            found.append(f"{person.name}: the exchange answered no call")
        for call in answered:
            heard = (records / call["audio_file"]).read_bytes()
            if person.hears_all and prompt not in heard:
                found.append(f"{person.name}: the prompt was not heard whole on {call['number']}")
            if person.hears_all and call["rtp"]["lost"]:
                found.append(f"{person.name}: {call['rtp']['lost']} packets were lost on {call['number']}")
            rate = call["rtp"]["packets_per_second"]
            if person.hears_all and abs(rate - _PACKETS_PER_SECOND) > _RATE_TOLERANCE:
                found.append(f"{person.name}: {rate:.1f} packets/s on {call['number']}")
    return found
