"""Receives RTP: a socket per stream, the kernel's time stamp on every packet, many packets per system call.

Packets are not examined one by one: the needed bytes of a batch are copied with array strides, so that the
receiver needs far less processor time than the processes that it measures.
"""

import ctypes
import socket
from array import array

SLOT = 192
"Bytes kept of a packet: more than the 172 of a frame of G.711, so that a longer one shows."
PACKET = 172
_CONTROL = 64
_BATCH = 64
_SO_TIMESTAMPNS = 35
_RECEIVE_BYTES = 1 << 18

_library = ctypes.CDLL(None, use_errno=True)


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr of 64-bit Linux: 64 bytes, the received length at byte 56."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("length", ctypes.c_uint),
    )


_MESSAGE = ctypes.sizeof(_Message)


class Batch:
    """Room for a batch of packets, used by all sinks in turn."""

    def __init__(self) -> None:
        self._packets = ctypes.create_string_buffer(SLOT * _BATCH)
        self._control = ctypes.create_string_buffer(_CONTROL * _BATCH)
        self._vectors = (_IoVec * _BATCH)()
        self._messages = (_Message * _BATCH)()
        for i in range(_BATCH):
            self._vectors[i] = _IoVec(ctypes.addressof(self._packets) + i * SLOT, SLOT)
            self._messages[i] = _Message(
                vectors=ctypes.addressof(self._vectors) + i * ctypes.sizeof(_IoVec),
                vector_count=1,
                control=ctypes.addressof(self._control) + i * _CONTROL,
                control_length=_CONTROL,
            )
        self._pristine = bytes(self._messages)
        self.bytes = memoryview(self._packets).cast("B")
        self.words = self.bytes.cast("H")
        self.control = memoryview(self._control).cast("B").cast("q")
        self._lengths = memoryview(self._messages).cast("B").cast("I")

    def receive(self, descriptor: int) -> list[int]:
        """Return the lengths of the packets that came."""
        count: int = _library.recvmmsg(descriptor, self._messages, _BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return []
        lengths = self._lengths[14 : 16 * count : 16].tolist()
        # The kernel writes the length of the control data into the request.
        ctypes.memmove(self._messages, self._pristine, _MESSAGE * count)
        return lengths


class Sink:
    """One stream's socket.

    `seconds` and `nanoseconds` of arrival, `sequence` (as on the wire) and `marks` (the first byte of audio)
    have one entry per packet.
    """

    def __init__(self, host: str) -> None:
        self._socket = _even(host)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._descriptor = self._socket.fileno()
        self.port: int = self._socket.getsockname()[1]
        self.forget()

    @property
    def descriptor(self) -> int:
        return self._descriptor

    def forget(self) -> None:
        self.seconds = array("q")
        self.nanoseconds = array("q")
        self.sequence = array("H")
        self.marks = bytearray()

    def drain(self, batch: Batch, *, keep: bool) -> None:
        while lengths := batch.receive(self._descriptor):
            if keep:
                self._keep(batch, lengths)
            if len(lengths) < _BATCH:
                return

    def close(self) -> None:
        self._socket.close()

    def _keep(self, batch: Batch, lengths: list[int]) -> None:
        if lengths.count(PACKET) == len(lengths):
            self._keep_range(batch, 0, len(lengths))
            return
        # Digits, comfort noise, or packets that belong to no stream.
        for i, length in enumerate(lengths):
            if length == PACKET:
                self._keep_range(batch, i, i + 1)

    def _keep_range(self, batch: Batch, first: int, end: int) -> None:
        words, slots = SLOT // 2, _CONTROL // 8
        self.seconds.frombytes(batch.control[first * slots + 2 : end * slots : slots].tobytes())
        self.nanoseconds.frombytes(batch.control[first * slots + 3 : end * slots : slots].tobytes())
        self.sequence.frombytes(batch.words[first * words + 1 : end * words : words].tobytes())
        self.marks += batch.bytes[first * SLOT + 12 : end * SLOT : SLOT].tobytes()


def _even(host: str) -> socket.socket:
    """Return a socket on a free even port: callers send RTCP to the odd one above (RFC 3550, 11)."""
    while True:
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        found.bind((host, 0))
        if found.getsockname()[1] % 2 == 0:
            return found
        found.close()
