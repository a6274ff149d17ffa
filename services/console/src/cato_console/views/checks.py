"""What to look at before the start, in words for dispatchers; the API adds the details."""

from cato_console.language.languages import mark

WARNINGS = {
    "no-channels": mark("There are no channels: the operator has to configure a station."),
    "no-station": mark("No station responds: nobody can be called now."),
    "running": mark(
        "It is being called already, or a test call is not over yet. Wait for the end, then start."
    ),
    "out-of-hours": mark("It is outside of the calling hours: the calls begin when these do."),
    "some-out-of-hours": mark("Some people are called later, in the calling hours of their time zone."),
    "no-time-zone": mark("Some people are not called, because their time zone is not known."),
    "expired": mark("Its time is over: choose the rules again."),
    "too-short": mark("The time may be too short to call everybody."),
    "call-too-short": mark("The message is longer than a call may be: shorten it, or play it once."),
    "needs-approval": mark("After the start it waits until another person approves it."),
    "excluded": mark("Some people are not called: all their numbers are on exclusion lists."),
    "limited": mark("Some people cannot be called now: their numbers were called often enough lately."),
    "audio": mark("Listen to the recording once more: something about it is unusual."),
}
"""Repeated people, shared numbers and wrong numbers have lines of their own, with their counts."""

CHANGED = mark(
    "The people or the rules have changed since you looked. Look at the numbers again, then start."
)
