"""Distribute the RTP ports: each worker starts its search in its own share.

RTP has an even port and RTCP the port above it (RFC 3550, 11); the system never picks one. PJSIP sends audio
to the address that the last packet came from, and our RTCP for a peer without an RTCP port goes to the port
above its RTP port. If that were the RTP port of another call, the audio of that call would be diverted.
"""

import socket
from dataclasses import dataclass

from cato_contracts.errors import ConfigurationError

_PORTS_OF_A_CALL = 2
"RTP and RTCP."
_DEFAULT = (16_384, 32_767)


@dataclass(frozen=True, slots=True)
class PortShares:
    """`per_call` ports for each call from `low` on, both even."""

    low: int
    high: int
    per_call: int

    def of(self, worker_id: int, calls: int) -> tuple[int, int]:
        """Return the first and the last port for this worker.

        Spare workers share with the first ones.
        """
        width = self.per_call * calls
        shares = max((self.high - self.low + 1) // width, 1)
        first = self.low + worker_id % shares * width
        return first, min(first + width - 1, self.high)


def share_ports(low: int, high: int, calls: int) -> PortShares:
    """Share out a range; 0 to 0 stands for a range below the ports that Linux gives to other sockets.

    Raises:
        ConfigurationError: if it is too small.

    """
    if low == 0 and high == 0:
        low, high = _DEFAULT
    first = low + low % 2
    per_call = (high - first + 1) // max(calls, 1) // 2 * 2
    if low == 0 or per_call < _PORTS_OF_A_CALL:
        raise ConfigurationError(
            f"dialing.rtpPortFrom..rtpPortTill ({low}..{high}) has not two ports for each of {calls} calls"
        )
    return PortShares(first, high, per_call)


def check_bindable(address: str) -> None:
    """Check that sockets can be bound to the local address, which the workers do when they start.

    Raises:
        ConfigurationError: naming the address and the reason.

    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        raise ConfigurationError(f"dialing.bindAddress {address}: {error.strerror}") from error
