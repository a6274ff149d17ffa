"""The OpenAPI document matches the behaviour of the gateway."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cato_contracts.api.phone_numbers import PHONE_PATTERN, PHONE_SCHEMA
from cato_gateway.errors import STATUSES
from tests.support.gateway.stack import MemoryStack


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
                _, _, kind, name = node["$ref"].split("/")
                assert name in document["components"][kind], node["$ref"]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_the_document_is_valid_openapi_3_1(document):
    # R5: `itemSchema` is OpenAPI 3.2, and validators of 3.1 reject it.
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_r5_the_document_names_a_server_and_open_paths_have_no_security(document):
    assert [server["url"] for server in document["servers"]] == ["/"]
    open_paths = {name.split()[1] for name, operation in operations(document) if operation["security"] == []}
    assert open_paths == {"/healthz", "/readyz", "/metrics"}


def test_r5_no_property_has_a_default_that_makes_it_required_in_typescript(document):
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            assert "default" not in described, f"{name}.{field}"
    fields = schemas["SettingsBody"]["properties"]
    assert fields["maxCallDurationS"]["description"].endswith("Default: 300.")


def test_answers_may_gain_fields_and_requests_are_strict(document):
    schemas = document["components"]["schemas"]
    strict = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    assert strict == {
        "CallLimit",
        "ContactLimits",
        "Decision",
        "Exclusion",
        "ExclusionBody",
        "LocalTime",
        "PacingBounds",
        "TraceOrder",
        "ReplacedSettingsBody",
        "ReplacedTaskBody",
        "RetryRule",
        "SettingsBody",
        "SqlBody",
        "Subscriber",
        "TaskBody",
        "TestCallBody",
        "TimeRestrictions",
    }


def test_every_operation_describes_its_errors_and_never_422(document):
    for name, operation in operations(document):
        assert "422" not in operation["responses"], name
        assert operation["description"], name
        if "/api/v1/" in name:
            assert {"400", "401", "403", "405", "500", "503"} <= operation["responses"].keys(), name
            assert operation["security"] == [{"token": []}], name


def test_every_body_is_described(document):
    bodies = {name for name, operation in operations(document) if "requestBody" in operation}
    assert len(bodies) == 16
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
    from cato_contracts.errors import ErrorCode  # noqa: PLC0415

    assert set(STATUSES) == set(ErrorCode)


def test_every_field_is_described(document):
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert "description" in described, f"{name}.{field}"


def test_every_example_is_as_its_schema_says(document):
    checked = 0
    for content in contents(document):
        if "example" in content and content.get("schema", {"type": "string"}) != {"type": "string"}:
            schema = {**content["schema"], "components": document["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(content["example"])
            checked += 1
    assert checked > 40


def contents(node):
    if isinstance(node, dict):
        yield from node.get("content", {}).values()
        for value in node.values():
            yield from contents(value)


def test_every_json_answer_has_an_example(document):
    for name, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if content is not None:
            assert "example" in content, name


def test_every_json_body_has_an_example_and_every_text_too(document):
    checked = 0
    for content in contents(document):
        if content.get("schema", {}).get("format") != "binary" and "$ref" not in str(content.get("schema")):
            continue
        checked += 1
        assert "example" in content or content["schema"].get("format") == "binary", content
    assert checked > 40


def test_every_parameter_is_described_and_none_can_be_null(document):
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "null" not in str(parameter["schema"]), f"{name} {parameter['name']}"
            assert parameter["description"], f"{name} {parameter['name']}"


def test_every_error_has_a_meaning_and_an_example_of_its_own(document):
    examples = []
    for name, response in document["components"]["responses"].items():
        example = response["content"]["application/json"]["example"]
        assert response["description"].startswith(example["error"]), name
        assert "X-Request-ID" in response["headers"], name
        examples.append(example["message"])
    assert len(set(examples)) == len(examples) == 12


def test_operations_declare_the_errors_of_what_they_take(document):
    for name, operation in operations(document):
        statuses = operation["responses"].keys()
        headers = {parameter["name"] for parameter in operation.get("parameters", ())}
        assert "Idempotency-Key" not in headers or "409" in statuses, name
        assert "If-Match" not in headers or {"409", "412"} <= statuses, name
        assert "If-None-Match" not in headers or "304" in statuses, name
        assert "{id}" not in name or "404" in statuses, name
        assert "requestBody" not in operation or {"413", "415"} <= statuses, name


def test_the_examples_of_exports_have_the_columns_of_calls(document):
    columns = list(document["components"]["schemas"]["CallRecord"]["properties"])
    export = document["paths"]["/api/v1/calls/export"]["get"]["responses"]["200"]["content"]
    header, line, end = export["text/csv"]["example"].split("\n")
    assert header.split(",") == columns
    assert len(line.split(",")) == len(columns)
    assert not end
    assert list(json.loads(export["application/x-ndjson"]["example"])) == columns


def test_every_link_leads_to_an_operation(document):
    known = {operation["operationId"] for _, operation in operations(document)}
    links = [
        link["operationId"]
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) == 29
    assert set(links) <= known


@pytest.mark.parametrize(
    ("phone", "good"),
    [
        ("+7 (999) 123-45-67", True),
        ("*21#", True),
        ("1" * 32, True),
        ("+" + "1" * 15, True),
        ("+" + "1" * 16, False),
        ("1" * 33, False),
        ("tel:+7-343-210.69.51", True),
        ("07911 123456", True),
        ("776413 776450", False),
        ("84951234567 84951234568", False),
        ("", False),
        ("+", False),
        ("+*1", False),
        ("1a", False),
    ],
)
def test_the_pattern_of_telephone_numbers_matches_their_rule(phone, good):
    from cato_contracts.api.phone_numbers import normalised_phone  # noqa: PLC0415

    assert bool(re.search(PHONE_PATTERN, phone)) is good
    if good:
        normalised_phone(phone)
        assert re.search(str(PHONE_SCHEMA["pattern"]), phone)
    else:
        with pytest.raises(ValueError):
            normalised_phone(phone)


def test_the_document_is_the_same_for_every_application():
    assert MemoryStack().app.openapi() == MemoryStack().app.openapi()
