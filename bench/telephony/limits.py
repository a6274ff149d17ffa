"""Find the bottleneck of a step from the measurements taken while it ran."""

from telephony.talking import Step

_FULL = 0.9
"Share of a core, or of the machine, from which it counts as full: waiting work then exceeds the rest."


def limited_by(step: Step, *, lags: dict[str, float] | None = None) -> str:
    """`lags`: the delays that the sender reports, in ms by name."""
    load = step.windows[0].load
    busy = step.machine / load.cores
    shares = (
        f"senders {step.senders:.2f}, receiver {step.part('receiver'):.2f}, "
        f"others {step.others:.2f} of {load.cores} cores"
    )
    if step.part("receiver") >= _FULL:
        found = "the receiver, a full core: the sender may be able to do more"
    elif step.part("hottest") >= _FULL:
        found = f"one process at {step.part('hottest'):.0%} of a core"
    elif busy >= _FULL:
        found = f"the machine, {busy:.0%} busy"
    elif step.dropped:
        found = f"sockets that were full: {step.dropped} packets dropped"
    else:
        found = (
            f"late wake-ups: no process is full (busiest {step.part('hottest'):.0%} of a core), the machine "
            f"{busy:.0%} busy, but something waited for a core {step.waiting:.0%} of the time"
        )
    told = "".join(f", {name} {lag:.0f} ms" for name, lag in (lags or {}).items())
    noise = "; other work on the machine had a part in it" if step.noisy else ""
    return f"{found} ({shares}{told}){noise}"
