"""What is known of a random run when it is over: what the exchange, the log, the API and the client saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cato_client.models import StatusDocument
from cato_contracts.envelope import Envelope
from cato_contracts.instants import unix_ms
from tests.chaos.random_runs.scenario import Order, Scenario, caller_id


@dataclass(frozen=True, slots=True)
class FarCall:
    """A call as the exchange recorded it; times in Unix milliseconds, `end_ms` None: it is still up."""

    number: str
    invite_ms: float
    end_ms: float | None
    answer_ms: float | None = None
    final_code: int | None = None
    caller: str = ""
    heard_all: bool = False
    """The whole prompt arrived, in order."""


@dataclass(frozen=True, slots=True)
class FailedTry:
    """A try of a request that was not answered by success, with its status (None: no answer)."""

    request: str
    status: int | None
    retry_after: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order and whether the API accepted it; False: it said that the run is in no state for it."""

    order: Order
    accepted: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records of one run."""

    scenario: Scenario
    run_id: UUID
    names: tuple[str, ...]
    """The names of the subscribers by their index."""
    far_calls: tuple[FarCall, ...]
    log: tuple[Envelope, ...]
    """The messages of the run, in the order of the stream."""
    document: StatusDocument
    dead_letters: int = 0
    refused_subjects: tuple[str, ...] = ()
    """What services have logged of subjects that the broker refuses to their users."""
    starts_ms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """When each process was started."""
    silences_ms: tuple[tuple[float, float], ...] = ()
    """When the station did not hear anything."""
    cuts_ms: tuple[tuple[str, float], ...] = ()
    """The dialers that were cut off from the broker, and when."""
    failed_tries: tuple[FailedTry, ...] = ()
    orders: tuple[GivenOrder, ...] = ()
    created: Mapping[str, str] = field(default_factory=dict)
    """Names of resources that the client created, and the ids of the answers."""
    found: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids that have these names afterwards."""
    excluded_ms: Mapping[str, float] = field(default_factory=dict)
    """When the exclusion of each number was answered."""
    runs_of_task: int = 1
    wrong_reports: tuple[str, ...] = ()
    """What was wrong with reports on the way."""
    start_s: float = 0.0
    """How long the system took to start."""
    worst_stall_ms: float = 0.0
    """How long this machine let a ready process wait."""

    @property
    def cuts_in_calls(self) -> int:
        """How many partitions began while their dialer had an answered call."""
        return sum(
            any(
                call.caller == caller_id(name)
                and call.answer_ms is not None
                and call.answer_ms < at < (call.end_ms or at)
                for call in self.far_calls
            )
            for name, at in self.cuts_ms
        )

    def lines(self) -> list[str]:
        """Return everything that happened, in the order of time, for a person who looks for the reason."""
        happened = [(call.invite_ms, f"exchange: {call}") for call in self.far_calls]
        happened += [(float(unix_ms(each.occurred_at)), f"log: {each.body}") for each in self.log]
        happened += [(at, f"{number} is excluded") for number, at in self.excluded_ms.items()]
        for name, starts in self.starts_ms.items():
            happened += [(at, f"{name} is started") for at in starts]
        happened += [(since, f"the station is silent till {till:.0f}") for since, till in self.silences_ms]
        happened += [(at, f"{name} is cut off from the broker") for name, at in self.cuts_ms]
        happened.sort()
        return [f"{at:.0f} {what}" for at, what in happened] + [str(each) for each in self.failed_tries]
