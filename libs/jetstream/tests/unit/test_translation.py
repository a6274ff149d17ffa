import inspect
from types import ModuleType

import nats.aio.errors
import nats.errors
import nats.js.errors
import pytest

from cato_jetstream import Conflict, EventLogError, Rejected, Unavailable
from cato_jetstream.translation import WRONG_LAST_SEQUENCE, translated

MODULES: list[ModuleType] = [nats.errors, nats.js.errors, nats.aio.errors]
CLASSES = sorted(
    {
        member
        for module in MODULES
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Exception)
    },
    key=lambda each: f"{each.__module__}.{each.__name__}",
)


def instance(error_class: type[Exception]) -> Exception:
    """Any instance; a few want arguments."""
    parameters = inspect.signature(error_class).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if error_class is nats.js.errors.ConsumerSequenceMismatchError:
        return error_class(1, 2, 3)
    return error_class(*["x" for _ in required])


def test_the_list_is_not_empty():
    assert len(CLASSES) > 60


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda each: f"{each.__module__}.{each.__name__}")
def test_every_exception_of_the_client_becomes_ours(error_class: type[Exception]):
    with pytest.raises(EventLogError) as caught, translated():
        raise instance(error_class)
    assert caught.value.__cause__ is not None
    assert str(caught.value)


@pytest.mark.parametrize(
    "error",
    [OSError("refused"), ConnectionResetError(), TimeoutError(), ValueError("not JSON")],
    ids=repr,
)
def test_what_the_client_lets_through_becomes_unavailable(error: Exception):
    with pytest.raises(Unavailable), translated():
        raise error


@pytest.mark.parametrize(
    ("answer", "ours"),
    [
        *(
            ({"code": 400, "err_code": code, "description": "wrong last sequence"}, Conflict)
            for code in WRONG_LAST_SEQUENCE
        ),
        ({"code": 400, "err_code": 10054, "description": "message size exceeds maximum allowed"}, Rejected),
        ({"code": 400, "err_code": 10060, "description": "expected stream does not match"}, Rejected),
        ({"code": 404, "err_code": 10059, "description": "stream not found"}, Unavailable),
        ({"code": 409, "err_code": 10158, "description": "duplicate message id is in process"}, Unavailable),
        ({"code": 500, "err_code": 10047, "description": "insufficient storage resources"}, Unavailable),
        ({"code": 503, "err_code": 10008, "description": "system temporarily unavailable"}, Unavailable),
    ],
    ids=lambda value: value["description"] if isinstance(value, dict) else value.__name__,
)
def test_answers_of_the_server_are_told_apart(answer: dict[str, object], ours: type[EventLogError]):
    with pytest.raises(ours), translated():
        nats.js.errors.APIError.from_error(answer)


def test_programming_errors_pass():
    with pytest.raises(KeyError), translated():
        raise KeyError("x")
