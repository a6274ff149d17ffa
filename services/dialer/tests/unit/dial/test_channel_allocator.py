"""Sharing channels between replicas: decisions one by one, and properties of several replicas together."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from cato_dialer.dial.domain.capacity.channel_allocator import Allocation, ChannelAllocator, Peers
from cato_dialer.dial.domain.capacity.channel_pool import Block, ChannelPool

ALLOCATOR = ChannelAllocator(valid_s=8.0, renew_after_s=3.0, idle_s=5.0, idle_for_others_s=0.5)
NAME = "station"
IN_WANT = Peers(1, frozenset({NAME}))
NOW = 100.0
TTL_S = 10.0


def pool(channels: int, *in_use: int, wanted: int = 0, idle_since: float = NOW) -> ChannelPool:
    made = ChannelPool(NAME, channels, wanted=wanted)
    for index, used in enumerate(in_use):
        made.blocks[index] = Block(index, made.size_of(index), NOW + 8.0, idle_since, used)
    return made


def test_channels_that_are_wanted_are_taken_in_whole_blocks():
    assert ALLOCATOR.allocate(pool(70, wanted=5), Peers(), NOW).take == 2
    assert ALLOCATOR.allocate(pool(70, 1, wanted=5), Peers(), NOW).take == 1
    assert ALLOCATOR.allocate(pool(6, 1, 1, 1, 1, 1, 1, wanted=9), Peers(), NOW).take == 0


def test_a_replica_takes_up_to_its_share_while_others_want_channels():
    assert ALLOCATOR.allocate(pool(6, 1, wanted=9), Peers(1), NOW).take == 5
    assert ALLOCATOR.allocate(pool(6, 1, wanted=9), IN_WANT, NOW).take == 2


def test_blocks_above_the_share_are_surplus_the_least_used_first():
    allocation = ALLOCATOR.allocate(pool(6, 1, 1, 1, 1, 0, wanted=0), IN_WANT, NOW)
    assert allocation == Allocation(release=(4,), surplus=frozenset({3}))


def test_idle_blocks_are_kept_for_a_while():
    assert ALLOCATOR.allocate(pool(6, 0, idle_since=NOW - 4.9), Peers(), NOW).release == ()
    assert ALLOCATOR.allocate(pool(6, 0, idle_since=NOW - 5.0), Peers(), NOW).release == (0,)
    assert ALLOCATOR.allocate(pool(6, 0, idle_since=NOW - 0.5), IN_WANT, NOW).release == (0,)
    assert ALLOCATOR.allocate(pool(6, 0, idle_since=NOW - 9.0, wanted=1), Peers(), NOW).release == ()


def test_a_block_is_renewed_after_its_time_and_not_when_it_is_released():
    assert ALLOCATOR.allocate(pool(6, 1), Peers(), NOW + 2.9).renew == ()
    assert ALLOCATOR.allocate(pool(6, 1), Peers(), NOW + 3.1).renew == (0,)
    idle = ALLOCATOR.allocate(pool(6, 0), Peers(), NOW + 6.0)
    assert (idle.renew, idle.release) == ((), (0,))


def test_marks_of_surplus_follow_the_allocation():
    held = pool(6, 1, 1)
    assert not held.mark_surplus({0})
    assert held.available(NOW) is None
    assert held.blocks[0].surplus
    assert held.mark_surplus(())
    assert not held.blocks[0].surplus


@dataclass
class Replica:
    """A replica that carries its allocations out against the leases of `Cluster`."""

    pool: ChannelPool
    waiting: int = 0
    calls: list[Block] = field(default_factory=list)
    cut_off: bool = False

    def acquire(self, now: float) -> None:
        while self.waiting and (block := self.pool.available(now)) is not None:
            block.in_use += 1
            self.calls.append(block)
            self.waiting -= 1
        self.pool.wanted = self.waiting

    def hang_up(self, now: float) -> None:
        if self.calls:
            block = self.calls.pop(0)
            block.in_use -= 1
            block.idle_since = now


@dataclass
class Cluster:
    """Replicas that share one pool, and its leases: holder and expiry of each block."""

    channels: int
    replicas: list[Replica]
    now: float = 0.0
    leases: dict[int, tuple[int, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, channels: int, replicas: int) -> "Cluster":
        return cls(channels, [Replica(ChannelPool(NAME, channels)) for _ in range(replicas)])

    def keep(self, number: int) -> None:
        """Have one replica allocate, and carry the allocation out as far as the broker can be reached."""
        replica = self.replicas[number]
        pool = replica.pool
        others = [other for other in self.replicas if other is not replica and not other.cut_off]
        wants = any(other.waiting for other in others)
        peers = Peers(len(others), frozenset({NAME}) if wants else frozenset())
        allocation = ALLOCATOR.allocate(pool, peers, self.now)
        pool.mark_surplus(allocation.surplus)
        for block in pool.remove(allocation.release):
            assert block.in_use == 0
            # As the bucket does: a lease that another replica has by now is not deleted.
            if not replica.cut_off and self.leases.get(block.index, (number, 0.0))[0] == number:
                self.leases.pop(block.index, None)
        if replica.cut_off:
            return
        for index in allocation.renew:
            if self._lease(number, index):
                pool.blocks[index].valid_until = self.now + ALLOCATOR.valid_s
            else:
                pool.remove([index])
        free = [index for index in pool.missing() if self._lease(number, index, probe=True)]
        for index in free[: allocation.take]:
            self._lease(number, index)
            pool.blocks[index] = Block(index, pool.size_of(index), self.now + ALLOCATOR.valid_s, self.now)
        replica.acquire(self.now)

    def _lease(self, number: int, index: int, *, probe: bool = False) -> bool:
        holder, expiry = self.leases.get(index, (number, 0.0))
        if holder != number and expiry > self.now:
            return False
        if not probe:
            self.leases[index] = (number, self.now + TTL_S)
        return True

    def usable(self) -> list[int]:
        """Return the sizes of all blocks that some replica would start a call on."""
        return [
            block.size
            for replica in self.replicas
            for block in replica.pool.blocks.values()
            if block.valid_until > self.now
        ]


steps = st.lists(
    st.tuples(
        st.sampled_from(["want", "hang up", "keep", "wait", "cut off", "reconnect"]),
        st.integers(0, 2),
        st.integers(1, 9),
    ),
    max_size=80,
)
sizes = st.sampled_from([1, 2, 5, 6, 32, 33, 70, 130])


@settings(max_examples=400, deadline=None)
@given(channels=sizes, script=steps)
def test_the_sum_over_replicas_never_exceeds_the_channels(channels, script) -> None:
    cluster = Cluster.of(channels, 3)
    for what, number, count in script:
        replica = cluster.replicas[number]
        match what:
            case "want":
                replica.waiting += count
                replica.acquire(cluster.now)
            case "hang up":
                for _ in range(count):
                    replica.hang_up(cluster.now)
            case "keep":
                cluster.keep(number)
            case "wait":
                cluster.now += count / 2
            case "cut off":
                replica.cut_off = True
            case "reconnect":
                replica.cut_off = False
        assert sum(cluster.usable()) <= channels
        for held in cluster.replicas:
            assert all(0 <= block.in_use <= block.size for block in held.pool.blocks.values())


@settings(max_examples=200, deadline=None)
@given(channels=sizes, script=steps)
def test_calls_at_once_never_exceed_the_channels_while_the_broker_answers(channels, script) -> None:
    cluster = Cluster.of(channels, 3)
    for what, number, count in script:
        replica = cluster.replicas[number]
        if what == "want":
            replica.waiting += count
        elif what == "hang up":
            replica.hang_up(cluster.now)
        else:
            cluster.now += 0.25
            for index in range(3):
                cluster.keep(index)
        replica.acquire(cluster.now)
        assert sum(len(one.calls) for one in cluster.replicas) <= channels


@settings(max_examples=200, deadline=None)
@given(channels=sizes, first=st.integers(0, 2), wants=st.lists(st.integers(1, 200), min_size=3, max_size=3))
def test_every_replica_gets_its_share_and_no_channel_is_left_unused(channels, first, wants) -> None:
    cluster = Cluster.of(channels, 3)
    cluster.replicas[first].waiting = 1_000
    cluster.keep(first)
    for replica, wanted in zip(cluster.replicas, wants, strict=True):
        replica.waiting = max(replica.waiting, wanted + channels)
    for _ in range(200):
        cluster.now += 0.5
        for number, replica in enumerate(cluster.replicas):
            replica.hang_up(cluster.now)
            cluster.keep(number)
            replica.waiting = max(replica.waiting, channels)
    share = cluster.replicas[0].pool.share(3)
    for replica in cluster.replicas:
        assert len(replica.pool.blocks) <= share
    held = sum(block.size for replica in cluster.replicas for block in replica.pool.blocks.values())
    assert held == channels
