"""Who of the workers takes which RTP ports: each starts its search in a share of its own."""

from dataclasses import dataclass

from cato_runtime.errors import ConfigurationError

_PORTS_OF_A_CALL = 2
"RTP and RTCP."


@dataclass(frozen=True, slots=True)
class PortShares:
    """`per_call` ports for each call from `low` on, an even number; 0 leaves the choice to the system."""

    low: int
    high: int
    per_call: int

    def of(self, place: int, calls: int) -> tuple[int, int]:
        """Return the first and last port for the worker at this place in the pool.

        Spare workers share with the first ones.
        """
        if not self.low:
            return 0, 0
        width = self.per_call * calls
        shares = max((self.high - self.low + 1) // width, 1)
        first = self.low + place % shares * width
        return first, min(first + width - 1, self.high)


def share_ports(low: int, high: int, calls: int) -> PortShares:
    """Raises: ConfigurationError."""
    if low == 0 and high == 0:
        return PortShares(0, 0, 0)
    first = low + low % 2
    per_call = (high - first + 1) // max(calls, 1) // 2 * 2
    if low == 0 or per_call < _PORTS_OF_A_CALL:
        raise ConfigurationError(
            f"dialing.rtpPortFrom..rtpPortTill ({low}..{high}) has not two ports for each of {calls} calls"
        )
    return PortShares(first, high, per_call)
