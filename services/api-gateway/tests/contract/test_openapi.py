"""The OpenAPI document says what the gateway does."""

from typing import Any

import pytest

from cato_gateway.errors import STATUSES
from cato_gateway.testing import MemoryStack


@pytest.fixture
async def document(client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_every_reference_leads_somewhere(document):
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].removeprefix("#/components/schemas/")
                assert name in document["components"]["schemas"], node["$ref"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_every_operation_describes_its_errors_and_never_422(document):
    for name, operation in operations(document):
        assert "422" not in operation["responses"], name
        if "/api/v1/" in name:
            assert {"400", "401", "403", "405", "500", "503"} <= operation["responses"].keys(), name
            assert operation["security"] == [{"token": []}], name
            assert operation["description"], name


def test_every_body_is_described(document):
    bodies = {name for name, operation in operations(document) if "requestBody" in operation}
    assert len(bodies) == 7
    post = document["paths"]["/api/v1/notification-settings"]["post"]
    fields = document["components"]["schemas"]["SettingsBody"]["properties"]
    assert post["requestBody"]["required"]
    assert {"attemptCount", "attemptDelayS", "userId", "timeRestrictions"} <= fields.keys()


def test_the_document_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    assert len({operation["operationId"] for _, operation in operations(document)}) == len(
        list(operations(document))
    )


def test_every_code_of_the_services_has_a_status():
    from cato_contracts.envelope import ErrorCode  # noqa: PLC0415

    assert set(STATUSES) == set(ErrorCode)


def test_the_document_does_not_change_from_one_application_to_the_next():
    assert MemoryStack().app.openapi() == MemoryStack().app.openapi()
