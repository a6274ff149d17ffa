"""A generated history: all inputs that determine one simulated run."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from tests.simulation.world.exchange import Behaviour
from tests.simulation.world.faults import CrashPoint, Faults
from tests.simulation.world.judgement.exclusions import Exclude


@dataclass(frozen=True)
class Control:
    """An action of the operator, `at` seconds after the start."""

    at: float
    action: type[PauseRun | ResumeRun | StopRun]
    hangup: bool = False


@dataclass(frozen=True)
class History:
    """The input of one simulated run. `phones` has the number of telephones of each subscriber."""

    phones: tuple[int, ...]
    zones: tuple[str | None, ...] = ()
    """The time zones of the subscribers, repeated as often as there are subscribers."""
    relatives: tuple[int, ...] = ()
    """How many further people have the numbers of each subscriber, repeated as often as needed.

    They are at the end of the list, and share the calls if the task says so.
    """
    behaviours: tuple[Behaviour, ...] = (Behaviour(),)
    settings: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    starts_in_s: float | None = None
    expires_in_s: float | None = None
    prompt_ms: int = 1500
    announces: bool = False
    """A file is played after an opt-out."""
    stations: int = 1
    channels: int = 2
    licence: int = 100
    interval_ms: int = 0
    pacing: tuple[PacingRule, ...] = ()
    dial_crashes: tuple[CrashPoint, ...] = ()
    campaign_crashes: tuple[CrashPoint, ...] = ()
    restart_after_s: float = 1.0
    dial_replicas: int = 1
    campaign_replicas: int = 1
    lost_heartbeats: tuple[float, ...] = ()
    lost_leases: tuple[float, ...] = ()
    lost_jobs: tuple[float, ...] = ()
    lost_workers: tuple[tuple[float, float], ...] = ()
    """When a dialer loses its SIP workers, and after how many seconds it has new ones."""
    partitions: tuple[tuple[float, float], ...] = ()
    """When a dialer is cut off from the broker, and for how many seconds."""
    clock_jumps: tuple[tuple[float, float], ...] = ()
    """When the clock of a dialer changes, and by how many seconds it is off from then on."""
    controls: tuple[Control, ...] = ()
    exclusions: tuple[Exclude, ...] = ()
    sends_late_s: tuple[float, ...] = (0.0,)
    """How long the trunk takes to send, one of these by chance."""
    state_lag_s: float = 0.0
    faults: Faults = field(default_factory=Faults)
    seed: int = 0

    @property
    def opt_out_key(self) -> str | None:
        return self.settings.get("opt_out_key")

    def settings_with(self, file: UUID) -> dict[str, Any]:
        """Return the settings; `file` is played after an opt-out."""
        return self.settings | ({"opt_out_file": file} if self.announces and self.opt_out_key else {})

    def households(self) -> list[list[int]]:
        """Return the further people of each subscriber, by their places in the list."""
        places = itertools.count(len(self.phones))
        counts = itertools.cycle(self.relatives or (0,))
        return [[next(places) for _ in range(next(counts))] for _ in self.phones]

    @property
    def has_lists(self) -> bool:
        """Tell whether there may be exclusion lists."""
        return bool(self.exclusions) or self.opt_out_key is not None


@dataclass(frozen=True)
class SharedNumbers(History):
    """The input of several runs whose subscribers share numbers.

    `lists` has the subscribers of each run, each with the places of their numbers among all numbers. Runs
    belong to two users in turn, and start at the times `starts`.
    """

    phones: tuple[int, ...] = ()
    lists: tuple[tuple[tuple[int, ...], ...], ...] = (((0,),),)
    starts: tuple[float, ...] = (0.0,)
    limits: tuple[StoredContactLimits, ...] = ()
