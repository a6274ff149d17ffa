"""The blocks of channels that one replica holds of one pool (a station, or the licence): bookkeeping only.

Times are seconds of any steady clock.
"""

import math
from dataclasses import dataclass, field

_SINGLE_UP_TO = 32
_FOURS_UP_TO = 128


def block_size(channels: int) -> int:
    """Return how many channels a block has: few blocks to renew, and still something to share out."""
    if channels <= _SINGLE_UP_TO:
        return 1
    return 4 if channels <= _FOURS_UP_TO else 16


@dataclass(slots=True)
class Block:
    """A block that we hold, surely until `valid_until`."""

    index: int
    size: int
    valid_until: float
    idle_since: float
    in_use: int = 0
    shedding: bool = False
    """No call is started on it any more: it goes to another replica when it is idle."""


@dataclass(slots=True)
class ChannelPool:
    """`wanted` counts who waits for a channel."""

    name: str
    channels: int
    blocks: dict[int, Block] = field(default_factory=dict)
    wanted: int = 0

    @property
    def block_size(self) -> int:
        return block_size(self.channels)

    @property
    def block_count(self) -> int:
        return math.ceil(self.channels / self.block_size)

    def size_of(self, index: int) -> int:
        return min(self.block_size, self.channels - index * self.block_size)

    def missing(self) -> list[int]:
        """Return the blocks that we do not hold."""
        return [index for index in range(self.block_count) if index not in self.blocks]

    def available(self, now: float) -> Block | None:
        """Return a block with a free channel, the fullest first, so that whole blocks become idle."""
        usable = [
            block
            for block in self.blocks.values()
            if block.in_use < block.size and block.valid_until > now and not block.shedding
        ]
        return max(usable, key=lambda block: (block.in_use, -block.index), default=None)

    def share(self, members: int) -> int:
        """Return how many blocks each of so many replicas may hold while others are in want."""
        return math.ceil(self.block_count / max(1, members))

    def shed(self, members: int) -> None:
        """Choose the blocks that go to others: what is above our share, the least used first."""
        surplus = len(self.blocks) - self.share(members)
        by_use = sorted(self.blocks.values(), key=lambda block: (block.in_use, -block.index))
        for place, block in enumerate(by_use):
            block.shedding = place < surplus

    def keep_all(self) -> bool:
        """Use every block again; tell whether one had been chosen to go."""
        chosen = [block for block in self.blocks.values() if block.shedding]
        for block in chosen:
            block.shedding = False
        return bool(chosen)

    def to_give_back(self, now: float, idle_s: float) -> list[Block]:
        """Return the idle blocks that we should not hold any longer."""
        return [
            block
            for block in self.blocks.values()
            if block.in_use == 0
            and (block.shedding or (self.wanted == 0 and now - block.idle_since >= idle_s))
        ]
