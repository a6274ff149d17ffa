"""People with the same numbers share their calls: who they are, and what counts as settled."""

import json

import pytest

from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.numbering import Numbering
from cato_dialer.campaign.domain.lists.snapshot_list import unreached_list, with_shared_numbers
from cato_dialer.campaign.domain.run.households import MOST_MEMBERS, Households, with_households
from cato_dialer.campaign.domain.run.progress import Progress

CANONICAL = Numbering().canonical


def listed(*people):
    """The list of a run; each person is given by the numbers, and the zone if there is one."""
    lines = [
        {"full_name": f"N{no}", "phones": phones, "id": f"id-{no}", "no": no}
        | ({"time_zone": zone[0]} if zone else {})
        for no, (phones, *zone) in enumerate(people)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def grouped(lines, local=None):
    """The households of a list, each as the places of its people."""
    found, sharing = with_households(lines, CANONICAL, local)
    people = [json.loads(line) for line in found.splitlines()]
    households = {}
    for person in people:
        if (first := person.get("household_no")) is not None:
            households.setdefault(first, []).append(person["no"])
            assert person["household"] == f"id-{first}"
    assert sharing == sum(len(each) - 1 for each in households.values())
    for person in people:
        household = households.get(person.get("household_no"), [])
        assert person.get("shared_with", []) == [f"N{no}" for no in household if no != person["no"]]
        assert person.get("members", []) == (household[1:] if household[:1] == [person["no"]] else [])
    return list(households.values())


def test_people_with_the_same_numbers_in_any_order_and_form_are_a_household():
    numbers = ["+73437200041", "776413"]
    lines = listed(
        (numbers,), (["1"],), (["776413", "83437200041"],), (["+73437200041"],), (numbers,), (["2"],)
    )
    assert grouped(lines) == [[0, 2, 4]]


def test_a_list_without_households_stays_as_it_is():
    lines = listed((["1"],), (["1", "2"],), (["2"],))
    assert with_households(lines, CANONICAL, None) == (lines, 0)


def test_people_in_different_zones_share_no_call_if_the_hours_are_their_own():
    zones = ("Asia/Tokyo", "Europe/Berlin", None, "Asia/Tokyo")
    lines = listed(*((["1"], zone) if zone else (["1"],) for zone in zones))
    assert grouped(lines) == [[0, 1, 2, 3]]
    assert grouped(lines, LocalTime()) == [[0, 3]]


def test_more_people_than_a_household_has_are_several():
    lines = listed(*((["1"],) for _ in range(2 * MOST_MEMBERS + 1)))
    assert [len(each) for each in grouped(lines)] == [MOST_MEMBERS, MOST_MEMBERS]


@pytest.mark.parametrize(("others", "shared"), [((), []), ((["1", "3"],), [0, 3])])
def test_a_household_is_marked_only_if_others_have_its_number(others, shared):
    lines = listed((["1"],), (["2"],), (["1"],), *((phones,) for phones in others))
    found = with_shared_numbers(with_households(lines, CANONICAL, None)[0], CANONICAL)
    assert [no for no, line in enumerate(found.splitlines()) if json.loads(line).get("shared")] == shared


def test_the_unreached_of_a_run_have_no_household_of_it():
    lines, _ = with_households(listed((["1"],), (["2"],), (["1"],)), CANONICAL, None)
    again, count = unreached_list(lines, {1})
    assert count == 2
    assert again == b"".join(
        json.dumps(
            {"full_name": f"N{no}", "phones": ["1"], "id": f"id-{no}", "no": place}, separators=(",", ":")
        ).encode()
        + b"\n"
        for place, no in enumerate((0, 2))
    )


def test_only_first_persons_are_outstanding_and_everybody_is_notified():
    lines, _ = with_households(listed((["1"],), (["2"],), (["1"],), (["1"],)), CANONICAL, None)
    households = Households.of_list(4, lines)
    assert households.members(0) == [2, 3]
    progress = Progress(4, households)
    progress.turn_to(1)
    assert (progress.outstanding, list(progress.unsettled()), progress.not_notified) == (2, [0, 1], 4)
    for no in (0, 2, 3):
        progress.record(no, 1, notified=True, sequence=7)
    assert (progress.outstanding, list(progress.unsettled()), progress.not_notified) == (1, [1], 1)
    progress.record(1, 1, notified=False, sequence=8)
    assert progress.outstanding == 0
