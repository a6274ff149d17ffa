"""The requests to the campaign role of the dialer about limits of contacts."""

from typing import ClassVar

from cato_contracts.api.rules.contacts import ContactLimits, ContactLimitsOwner, StoredContactLimits
from cato_contracts.messages.campaign_commands import SERVICE
from cato_contracts.requests import Command, Query


class PutContactLimits(Command[StoredContactLimits]):
    """Store the limits of the actor, or with SYSTEM those of all users, for administrators only."""

    service: ClassVar[str] = SERVICE
    scope: ContactLimitsOwner = ContactLimitsOwner.USER
    limits: ContactLimits


class RemoveContactLimits(Command[None]):
    """Remove the limits of the actor, or of the system."""

    service: ClassVar[str] = SERVICE
    scope: ContactLimitsOwner = ContactLimitsOwner.USER


class GetContactLimits(Query[StoredContactLimits]):
    """Return the limits of the actor, or of the system."""

    service: ClassVar[str] = SERVICE
    scope: ContactLimitsOwner = ContactLimitsOwner.USER
