"""Exclusion lists on the whole system: real processes answer, and the dialer calls nobody on a list."""

import uuid

from cato_client import Client as Cato
from cato_client import operations
from tests.support.tones import tone


def test_an_excluded_subscriber_counts_as_excluded_and_is_not_called(stack, client):
    number = f"+7343{uuid.uuid4().int % 10_000_000:07}"
    with Cato(stack.url, "default") as cato:
        added = cato.do(operations.add_exclusion_list_csv("do not call", b"number\n776499\n"))
        try:
            assert cato.do(operations.exclude_number(added.id, f"8{number[2:]}")).number == number
            prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))
            people = [{"fullName": "Ivan Potapov", "phones": number}]
            run = client.start(client.make_task(people, files=[prompt["id"]]))
            *_, report = cato.follow(uuid.UUID(run))
            assert report.subscriber_failed == 1
            assert report.subscriber_failed_by_rule == {"excluded": 1}
            person = cato.do(operations.list_run_subscribers(uuid.UUID(run))).items[0]
            assert (person.reason, person.calls) == ("excluded", 0)
        finally:
            cato.do(operations.remove_exclusion_list(added.id))
