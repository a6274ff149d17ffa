"""The exclusion list of those who have opted out by a key."""

from uuid import UUID

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_contracts.api.rules.keys import OPT_OUT_LIST
from cato_contracts.ids import derived_id
from cato_contracts.objects import Bucket
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.exclusions.number_set import NumberSet
from cato_runtime.requests import RequestContext


def opt_out_name(spec: SettingsSpec) -> str:
    """Return the name of the list for `optOutKey`."""
    return spec.opt_out_list or OPT_OUT_LIST


async def find_opt_out_list(deps: Deps, user_id: str, spec: SettingsSpec) -> UUID:
    """Return the id of the user's oldest list for `optOutKey`; if there is none, the id that it will have.

    Raises: BrokerError.
    """
    name = opt_out_name(spec)
    await deps.view.catch_up()
    own = [
        one
        for one in deps.view.exclusion_lists.all()
        if one.name == name and one.user_id == user_id and one.scope is ExclusionScope.USER
    ]
    if own:
        return min(own, key=lambda one: one.created_on).id
    return await _not_removed(deps, derived_id(ExclusionList.TOPIC, user_id, "opt-out", name))


async def opt_out_list(deps: Deps, list_id: UUID, user_id: str, name: str) -> UUID:
    """Return the id of the list `list_id`, or of its successor if it was removed; it is made if need be.

    Raises: BrokerError, RefusedError.
    """
    list_id = await _not_removed(deps, list_id)
    if await deps.exclusion_lists.find(list_id) is None:
        stored = await deps.objects.put(
            Bucket.LISTS, f"exclusions/{list_id}/{derived_id(list_id)}", NumberSet().to_bytes()
        )
        now = deps.clock.now()
        new = ExclusionList.add(
            list_id,
            user_id=user_id,
            name=name,
            scope=ExclusionScope.USER,
            numbers=stored,
            timestamp=now,
        )
        command_id = f"opt-out-list:{list_id}"
        await deps.exclusion_lists.add(new, RequestContext(command_id, command_id, now))
    return list_id


async def _not_removed(deps: Deps, list_id: UUID) -> UUID:
    while (found := await deps.exclusion_lists.find(list_id)) is not None and found.removed:
        list_id = derived_id(ExclusionList.TOPIC, "after", list_id)
    return list_id
