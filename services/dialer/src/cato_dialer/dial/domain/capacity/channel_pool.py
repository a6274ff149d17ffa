"""The blocks of channels that one replica holds of one pool (a station, the licence, or a pacing rule).

Times are seconds of any monotonic clock.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field

_SINGLE_UP_TO = 32
_FOURS_UP_TO = 128


def block_size(channels: int) -> int:
    """Return how many channels a block has: few blocks to renew, and still enough of them to share."""
    if channels <= _SINGLE_UP_TO:
        return 1
    return 4 if channels <= _FOURS_UP_TO else 16


@dataclass(slots=True)
class Block:
    """A block that this replica holds until `valid_until`; `idle_since`: when a channel was last freed."""

    index: int
    size: int
    valid_until: float
    idle_since: float
    in_use: int = 0
    busy_until: float = 0.0
    """The latest possible end of the calls that were started since it was idle."""
    kept_until: float = 0.0
    """Until then no other replica gets the block, even if this one is silent."""
    surplus: bool = False
    """No call is started on the block any more: it goes to another replica once it is idle."""


@dataclass(slots=True)
class ChannelPool:
    """`wanted` counts the subscribers that wait for a channel."""

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
        """Return the blocks that this replica does not hold."""
        return [index for index in range(self.block_count) if index not in self.blocks]

    def available(self, now: float) -> Block | None:
        """Return a block with a free channel, the fullest first, so that whole blocks become idle."""
        usable = [
            block
            for block in self.blocks.values()
            if block.in_use < block.size and block.valid_until > now and not block.surplus
        ]
        return max(usable, key=lambda block: (block.in_use, -block.index), default=None)

    def share(self, replicas: int) -> int:
        """Return how many blocks each replica may hold while others want channels, too."""
        return math.ceil(self.block_count / max(1, replicas))

    def has_room(self, replicas: int, now: float) -> bool:
        """Return whether a channel is free, or fewer wait and talk here than our share of the pool is."""
        in_use = sum(block.in_use for block in self.blocks.values())
        share = self.share(replicas) * self.block_size
        return self.available(now) is not None or self.wanted + in_use < share

    def mark_surplus(self, indexes: Collection[int]) -> bool:
        """Mark these blocks as surplus and no others; tell whether a block may be used again."""
        before = {index for index, block in self.blocks.items() if block.surplus}
        for index, block in self.blocks.items():
            block.surplus = index in indexes
        return not before.issubset(indexes)

    def remove(self, indexes: Collection[int]) -> list[Block]:
        """Remove the blocks and return them: no channel of theirs can be taken any more."""
        return [self.blocks.pop(index) for index in indexes]
