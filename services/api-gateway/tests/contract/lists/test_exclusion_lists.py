"""`/exclusion-lists` over HTTP."""

import pytest

LISTS = "/api/v1/exclusion-lists"
ADMIN = {"Authorization": "Bearer plain:admin"}
READER = {"Authorization": "Bearer plain:reader"}
CSV = {"Content-Type": "text/csv"}


async def test_a_list_is_added_read_changed_and_removed(client):
    added = (await client.put(f"{LISTS}/add/do not call", json=[{"number": "776429", "reason": "a"}])).json()
    assert (added["name"], added["scope"], added["numberCount"]) == ("do not call", "USER", 1)
    address = f"{LISTS}/{added['id']}"
    assert added["url"].endswith(f"{address}/numbers")
    assert (await client.get(address)).json() == added
    assert (await client.get(LISTS)).json()["items"] == [added]
    until = "2027-05-09T00:00:00Z"
    put = await client.put(f"{address}/numbers/8 (343) 720-00-41", json={"expiresAt": until})
    assert put.json() == {"number": "+73437200041", "reason": None, "expiresAt": until}
    first = (await client.get(f"{address}/numbers?limit=1")).json()
    assert first["items"] == [{"number": "776429", "reason": "a", "expiresAt": None}]
    rest = (await client.get(f"{address}/numbers", params={"cursor": first["nextCursor"]})).json()
    assert rest == {"items": [put.json()], "nextCursor": None}
    assert (await client.get(f"{address}/numbers/83437200041")).json() == put.json()
    assert (await client.get(f"{address}/numbers/1")).status_code == 404
    assert (await client.delete(f"{address}/numbers/+73437200041")).status_code == 204
    assert (await client.delete(f"{address}/numbers/+73437200041")).status_code == 404
    assert (await client.delete(address)).status_code == 204
    assert (await client.get(address)).status_code == 404


async def test_a_list_is_sent_as_csv(client):
    answer = await client.put(f"{LISTS}/add/x", content="number,reason\n776429,a\n776450,\n", headers=CSV)
    assert answer.json()["numberCount"] == 2


@pytest.mark.parametrize(
    ("content", "headers", "status", "sentence"),
    [
        ("[]x", {}, 415, "Content-Type"),
        ('[{"number": "x"}]', {"Content-Type": "application/json"}, 400, "is not a telephone number"),
        ("telephone\n1\n", CSV, 400, "number"),
        (
            '[{"number": "1", "expiresAt": "0001-01-01T00:00:00Z"}]',
            {"Content-Type": "application/json"},
            400,
            "1970",
        ),
    ],
)
async def test_a_faulty_list_is_refused(client, refused, content, headers, status, sentence):
    refused(await client.put(f"{LISTS}/add/x", content=content, headers=headers), status, sentence)


async def test_faulty_numbers_and_bodies_are_refused(client, refused):
    added = (await client.put(f"{LISTS}/add/x", json=[])).json()
    numbers = f"{LISTS}/{added['id']}/numbers"
    refused(await client.put(f"{numbers}/abc", json={}), 400, "number")
    refused(await client.get(f"{numbers}/abc"), 400, "number")
    refused(await client.put(f"{numbers}/776413", json={"expiresAt": "9999-01-01T00:00:00Z"}), 400, "2199")
    refused(await client.put(f"{numbers}/776413", json={"number": "1"}), 400, "number")


async def test_the_scope_of_the_system_is_for_administrators(client, refused):
    address = f"{LISTS}/add/x?scope=SYSTEM"
    refused(await client.put(address, json=[]), 403, "administrator")
    assert (await client.put(address, json=[], headers=ADMIN)).json()["scope"] == "SYSTEM"
    refused(await client.put(f"{LISTS}/add/x", json=[], headers=READER), 403, "permission write")
