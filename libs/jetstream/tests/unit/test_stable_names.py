import pytest
from eventsourcing.domain import Aggregate, event

from cato_jetstream import Repository, UnstableName
from tests.support.memory_log import MemoryLog


class Nameless(Aggregate):
    pass


class OnlyEventsNamed(Aggregate):
    class Created(Aggregate.Created):
        TOPIC = "only-events-named-created"


class Inheriting(Aggregate):
    TOPIC = "inheriting"

    class Created(Aggregate.Created):
        TOPIC = "inheriting-created"


class NamedByPath(Aggregate):
    TOPIC = "names:NamedByPath"

    class Created(Aggregate.Created):
        TOPIC = "named-by-path-created"


class EventNamedByPath(Aggregate):
    TOPIC = "event-named-by-path"

    class Created(Aggregate.Created):
        TOPIC = "names:EventNamedByPath.Created"


class NamedByDecorator(Aggregate):
    TOPIC = "named-by-decorator"

    @event("Created", topic="named-by-decorator.created")
    def __init__(self, name: str) -> None:
        self.name = name

    @event("Renamed", topic="named-by-decorator.renamed")
    def rename(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("aggregate_class", [Nameless, OnlyEventsNamed, NamedByPath])
def test_a_class_without_a_short_name_is_refused(aggregate_class: type[Aggregate]):
    with pytest.raises(UnstableName, match=rf"{aggregate_class.__name__} needs a class attribute TOPIC"):
        Repository(MemoryLog(), aggregate_class)


def test_an_event_without_a_short_name_is_refused():
    with pytest.raises(UnstableName, match=r"EventNamedByPath\.Created needs a class attribute TOPIC"):
        Repository(MemoryLog(), EventNamedByPath)


@pytest.mark.parametrize("aggregate_class", [Inheriting, NamedByDecorator])
def test_short_names_are_accepted(aggregate_class: type[Aggregate]):
    Repository(MemoryLog(), aggregate_class)
