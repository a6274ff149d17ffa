"""Commands and queries on the numbers of an exclusion list."""

from datetime import UTC, datetime
from uuid import UUID

from cato_contracts.api.phone_numbers import normalised_phone
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.exclusions import ExcludedNumber
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.messages.exclusion_commands import (
    ExcludeNumber,
    GetExcludedNumber,
    ListExcludedNumbers,
    ReadmitNumber,
)
from cato_contracts.paging import read_cursor, write_cursor
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.lists.read_exclusions import entry_of
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions.barrier import await_dialers
from cato_dialer.exclusions.number_set import Entry
from cato_runtime.requests import RequestContext


async def exclude_number(deps: Deps, command: ExcludeNumber, context: RequestContext) -> ExcludedNumber:
    number = deps.excluded.book.canonical(command.exclusion.number)
    exclusion = command.exclusion

    def decide(exclusions: ExclusionList) -> None:
        exclusions.check_changeable(command.actor)
        exclusions.put(
            number=number,
            reason=exclusion.reason,
            expires_at=exclusion.expires_at,
            call_id=command.call_id,
            timestamp=context.now,
        )

    changed = await deps.exclusion_lists.change(command, context, decide)
    await await_dialers(deps.readings, deps.exclusion_lists.sequence(changed), "the number")
    entry = entry_of(exclusion, number)
    return _view(Entry(number, entry.reason, entry.until, command.call_id))


async def readmit_number(deps: Deps, command: ReadmitNumber, context: RequestContext) -> None:
    """Take a number off a list. Raises NotFoundError if it is not on it."""
    number = _canonical(deps, command.number)
    await deps.excluded.catch_up()

    def decide(exclusions: ExclusionList) -> None:
        exclusions.check_changeable(command.actor)
        _entry(deps, exclusions.id, number)
        exclusions.drop(number=number, timestamp=context.now)

    await deps.exclusion_lists.change(command, context, decide)


async def get_excluded_number(
    deps: Deps, query: GetExcludedNumber, _context: RequestContext
) -> ExcludedNumber:
    """Return the entry of a number. Raises NotFoundError if it is not on the list."""
    number = _canonical(deps, query.number)
    await deps.exclusion_lists.load(query.id, query.actor)
    await deps.excluded.catch_up()
    return _view(_entry(deps, query.id, number))


async def list_excluded_numbers(
    deps: Deps, query: ListExcludedNumbers, _context: RequestContext
) -> Page[ExcludedNumber]:
    """List the numbers in the order in which they are kept; a cursor is the last number of its page."""
    await deps.exclusion_lists.load(query.id, query.actor)
    await deps.excluded.catch_up()
    after = None if query.cursor is None else read_cursor(query.cursor, _number)[0]
    numbers = deps.excluded.book.numbers(query.id)
    found = [] if numbers is None else numbers.after(after, query.limit + 1)
    page = found[: query.limit]
    more = len(found) > query.limit
    return Page(
        items=[_view(entry) for entry in page], next_cursor=write_cursor(page[-1].number) if more else None
    )


def _canonical(deps: Deps, text: str) -> str:
    """Return the form by which the number is compared. Raises InvalidError."""
    try:
        return deps.excluded.book.canonical(normalised_phone(text))
    except ValueError as error:
        raise InvalidError(f"number: {error}") from error


def _entry(deps: Deps, list_id: UUID, number: str) -> Entry:
    numbers = deps.excluded.book.numbers(list_id)
    entry = None if numbers is None else numbers.get(number)
    if entry is None:
        raise NotFoundError(f"the number {number} is not on the exclusion list")
    return entry


def _number(text: str) -> str:
    """Read a number as a cursor has it. Raises ValueError."""
    return normalised_phone(text)


def _view(entry: Entry) -> ExcludedNumber:
    expires = None if entry.until is None else datetime.fromtimestamp(entry.until, UTC)
    return ExcludedNumber(number=entry.number, reason=entry.reason, expires_at=expires, call_id=entry.call_id)
