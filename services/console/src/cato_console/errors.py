"""The errors of the console.

ConsoleError
├── ConfigurationError    a setting is wrong: the process ends with EX_CONFIG
├── SignInNeededError     no valid session: the sign-in page
├── ForgedRequestError    a form without the token of its session, or from another site: 403
├── RefusedError          the form cannot be taken as it is; the message is for the person
└── DraftGoneError        an uploaded list has expired between two steps
"""


class ConsoleError(Exception):
    """The root of the console's errors."""


class ConfigurationError(ConsoleError):
    """A setting is wrong."""


class SignInNeededError(ConsoleError):
    """The request has no valid session."""


class ForgedRequestError(ConsoleError):
    """The request changes something and was not made by a page of its session."""


class RefusedError(ConsoleError):
    """The form cannot be taken as it is; the message, in the language of the page, says why."""


class DraftGoneError(ConsoleError):
    """An uploaded list is not kept any more."""
