"""What the API says about the token of a request."""

from cato_client.models import Model


class Me(Model):
    """The user that a token stands for, and its permissions."""

    user_id: str
    permissions: list[str]
