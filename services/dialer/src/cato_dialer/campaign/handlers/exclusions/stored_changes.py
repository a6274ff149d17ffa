"""The commits of exclusion lists, as the changes that both roles fold into their lists in memory."""

from collections.abc import Iterator, Sequence

from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.lists.read_exclusions import unix_s
from cato_dialer.campaign.handlers.resources import Resources
from cato_dialer.exclusions.changes import Change, ListAdded, ListRemoved, NumberDropped, NumberPut
from cato_dialer.exclusions.number_set import Entry
from cato_dialer.exclusions.reader import Decode
from cato_jetstream import Commit, Log, Record
from cato_runtime.clock import Clock


def change_decoder(events: Log, clock: Clock) -> Decode:
    """Return the function that reads the changes of a commit."""
    lists = Resources(events, ExclusionList, clock)

    def decode(record: Record) -> Sequence[Change]:
        return tuple(_changes(lists, Commit.from_record(record)))

    return decode


def _changes(lists: Resources[ExclusionList], commit: Commit) -> Iterator[Change]:
    for happened in lists.events(commit):
        list_id = happened.originator_id
        match happened:
            case ExclusionList.Created():
                system = happened.scope is ExclusionScope.SYSTEM
                yield ListAdded(list_id, happened.user_id, system, happened.numbers)
            case ExclusionList.NumberPut():
                until = None if happened.expires_at is None else unix_s(happened.expires_at)
                yield NumberPut(list_id, Entry(happened.number, happened.reason, until, happened.call_id))
            case ExclusionList.NumberDropped():
                yield NumberDropped(list_id, happened.number)
            case ExclusionList.Removed():
                yield ListRemoved(list_id)
