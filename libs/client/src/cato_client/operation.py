"""An operation of the API as a value, and the few forms that operations have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel

from cato_client.models import ExportDialect, Model, Resource

T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=Model)

JSON = "application/json"
OCTETS = "application/octet-stream"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Operation(Generic[T_co]):
    """A request, and `read`, which converts a successful answer.

    An operation that changes something contains its Idempotency-Key. Sending the same operation again, by any
    client, is the same request.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T_co]
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def get(path: str, model: type[M], **parameters: str) -> Operation[M]:
    return Operation("GET", path, reader(model), parameters)


def list_page(path: str, model: type[M], **parameters: object) -> Operation[M]:
    given = {name: str(value) for name, value in parameters.items() if value is not None}
    return Operation("GET", path, reader(model), given)


def change(  # noqa: PLR0917 - in the order of a request
    method: str,
    path: str,
    model: type[M],
    content: bytes | None = None,
    media_type: str = JSON,
    etag: str | None = None,
) -> Operation[M]:
    headers = {"Idempotency-Key": str(uuid4())} | _condition(etag)
    if content is not None:
        headers["Content-Type"] = media_type
    return Operation(method, path, reader(model), {}, content, headers)


def remove(path: str, etag: str | None = None) -> Operation[None]:
    return Operation("DELETE", path, read_nothing, headers=_condition(etag))


def control(run_id: UUID, verb: str, *, hangup: bool = False) -> Operation[None]:
    headers = {"Idempotency-Key": str(uuid4())}
    parameters = {"hangup": "true"} if hangup else {}
    return Operation("PUT", f"/task-execs/{run_id}/{verb}", read_nothing, parameters, None, headers)


def _condition(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"If-Match": etag}


def reader(model: type[M]) -> Callable[[httpx.Response], M]:
    def read(answer: httpx.Response) -> M:
        found = model.model_validate_json(answer.content)
        etag = answer.headers.get("ETag")
        return found.model_copy(update={"etag": etag}) if isinstance(found, Resource) and etag else found

    return read


def read_bytes(answer: httpx.Response) -> bytes:
    return answer.content


def read_nothing(_answer: httpx.Response) -> None:
    return None


def body(model: BaseModel) -> bytes:
    return model.model_dump_json(by_alias=True, exclude_none=True).encode()


def path_word(name: str) -> str:
    return quote(name, safe="")


def file_form(form: str, dialect: ExportDialect, time_zone: str | None) -> dict[str, str]:
    given = {"format": form}
    if dialect != "standard":
        given["dialect"] = dialect
    return given if time_zone is None else given | {"timeZone": time_zone}
