"""Decide which blocks of channels a replica renews, releases and takes.

Safety does not depend on the decision: a block is a lease that one replica holds at a time, and a replica
starts calls only on blocks that it surely holds. The decision is about fairness: while other replicas want
channels, no replica keeps more than its share of the channels that it does not use.
"""

from dataclasses import dataclass

from cato_dialer.dial.domain.capacity.channel_pool import Block, ChannelPool


@dataclass(frozen=True, slots=True)
class Peers:
    """The other replicas: how many there are, and the names of the pools that they want channels of."""

    count: int = 0
    wants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allocation:
    """The blocks to renew, release and mark as surplus, and how many of the missing ones to take."""

    renew: tuple[int, ...] = ()
    release: tuple[int, ...] = ()
    surplus: frozenset[int] = frozenset()
    take: int = 0


@dataclass(frozen=True, slots=True)
class ChannelAllocator:
    """All times in seconds.

    A block is valid for `valid_s` after each renewal, and is renewed after `renew_after_s`. An idle block is
    released after `idle_s`, or after `idle_for_others_s` while other replicas want channels of its pool.
    """

    valid_s: float = 8.0
    renew_after_s: float = 3.0
    idle_s: float = 5.0
    idle_for_others_s: float = 0.5

    def allocate(self, pool: ChannelPool, peers: Peers, now: float) -> Allocation:
        """Return the allocation steps for the pool; `now` is on the clock of its blocks."""
        wanted_elsewhere = pool.name in peers.wants
        share = pool.share(1 + peers.count)
        surplus = _surplus(pool, share) if wanted_elsewhere else frozenset()
        idle_s = self.idle_for_others_s if wanted_elsewhere else self.idle_s
        released = {
            index
            for index, block in pool.blocks.items()
            if block.in_use == 0
            and (index in surplus or (pool.wanted == 0 and now - block.idle_since >= idle_s))
        }
        kept = [block for index, block in pool.blocks.items() if index not in released]
        due = now + self.valid_s - self.renew_after_s
        return Allocation(
            renew=tuple(block.index for block in kept if block.valid_until < due),
            release=tuple(released),
            surplus=surplus - released,
            take=_missing(pool, kept, now, share if wanted_elsewhere else pool.block_count),
        )


def _surplus(pool: ChannelPool, share: int) -> frozenset[int]:
    """Return the blocks above our share, the least used first."""
    by_use = sorted(pool.blocks.values(), key=lambda block: (block.in_use, -block.index))
    return frozenset(block.index for block in by_use[: max(0, len(by_use) - share)])


def _missing(pool: ChannelPool, kept: list[Block], now: float, most: int) -> int:
    """Return how many blocks the waiting subscribers need, up to `most` blocks in all."""
    free = sum(block.size - block.in_use for block in kept if block.valid_until > now)
    needed = -(-(pool.wanted - free) // pool.block_size)
    return max(0, min(needed, most - len(kept)))
