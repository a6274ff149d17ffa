"""Subscriber lists, and the calls to them in a status document."""

from typing import Any


def people(prefix: str, count: int) -> list[dict[str, Any]]:
    numbers = [f"{prefix}{n:04}" for n in range(count)]
    return [{"fullName": f"P{number}", "phones": number, "emails": ""} for number in numbers]


def numbers_of(subscribers: list[dict[str, Any]]) -> set[str]:
    return {subscriber["phones"] for subscriber in subscribers}


def calls_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        call for status in document["subscribers"] for phone in status["phones"] for call in phone["calls"]
    ]
