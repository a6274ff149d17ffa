"""Reads uploaded lists at once, in this process."""

from pathlib import Path

from cato_contracts.messages.campaign_commands import SubscriberListCheck
from cato_dialer.campaign.adapters.list_reader.process import Job, carry_out
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder
from cato_runtime.requests import refusal


class DirectListReader:
    """Implements `ports.ListReader` of the campaign role."""

    async def read(
        self, source: Path, target: Path, order: ListOrder, *, deadline: float | None = None
    ) -> SubscriberListCheck:
        answer = carry_out(Job(source=source, target=target, order=order))
        if answer.error is not None:
            raise refusal(answer.error)
        return SubscriberListCheck.model_validate(answer.value)
