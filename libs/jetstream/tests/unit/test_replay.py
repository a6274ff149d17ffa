"""The events of the history give the same aggregate as the snapshot of the last commit."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from libs.jetstream.tests.example import Route, Trunk, Window, new_trunk, trunks
from tests.support.memory_log import MemoryLog

ROUTES = st.builds(Route, prefix=st.text(max_size=5), cost=st.decimals(allow_nan=False, allow_infinity=False))
WINDOWS = st.builds(
    Window,
    opens=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    days=st.frozensets(st.sampled_from(["MON", "TUE", "SUN"])),
)
STEPS = st.one_of(
    st.tuples(st.just("resize"), st.fixed_dictionaries({"channels": st.integers()})),
    st.tuples(st.just("route"), st.fixed_dictionaries({"routes": st.lists(ROUTES, max_size=3).map(tuple)})),
    st.tuples(
        st.just("close"),
        st.fixed_dictionaries(
            {
                "window": WINDOWS,
                "until": st.dates(date(2000, 1, 1)),
                "pause": st.timedeltas(),
                "by": st.uuids(),
            }
        ),
    ),
)


async def replayed(log: MemoryLog, trunk_id: UUID) -> Trunk | None:
    repository = trunks(log)
    trunk = None
    async for commit in repository.history(trunk_id):
        for event in repository.events(commit):
            trunk = event.mutate(trunk)
        assert repository.restore(commit) == trunk
    return trunk


@given(commits=st.lists(st.lists(STEPS, min_size=1, max_size=4), max_size=6), reload=st.booleans())
async def test_replay_and_snapshot_agree(commits: list[list[tuple[str, dict[str, object]]]], reload: bool):
    log = MemoryLog()
    repository = trunks(log)
    trunk = await repository.save(new_trunk(uuid4()), command_id="create")
    for number, steps in enumerate(commits):
        if reload:
            trunk = await repository.load(trunk.id)
        for method, arguments in steps:
            getattr(trunk, method)(**arguments)
        trunk = await repository.save(trunk, command_id=f"c{number}")

    assert await repository.load(trunk.id) == trunk
    assert await replayed(log, trunk.id) == trunk
