"""`/pacing-rules`: stored by administrators, read by all."""

import pytest

API = "/api/v1/pacing-rules"
ADMIN = {"Authorization": "Bearer plain:admin"}
RULE = {"prefixes": ["+7495", "8495"], "maxCalls": 20, "maxCallsPerS": 2.5}
STORED = {**RULE, "stationId": None, "name": "Moscow"}


async def test_an_administrator_stores_a_rule_and_everybody_reads_it(client, refused):
    answer = await client.put(f"{API}/Moscow", json=RULE, headers=ADMIN)
    assert answer.json() == STORED
    assert (await client.get(f"{API}/Moscow")).json() == STORED
    assert (await client.get(API)).json() == {"items": [STORED], "nextCursor": None}
    refused(await client.put(f"{API}/Moscow", json=RULE), 403, "admin")
    refused(await client.delete(f"{API}/Moscow"), 403, "admin")
    assert (await client.delete(f"{API}/Moscow", headers=ADMIN)).status_code == 204
    refused(await client.get(f"{API}/Moscow"), 404, "Moscow")
    refused(await client.delete(f"{API}/Moscow", headers=ADMIN), 404, "Moscow")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prefixes": []}, "prefixes"),
        ({"prefixes": ["+7 495"]}, "prefixes"),
        ({"maxCalls": 0}, "maxCalls"),
        ({"maxCallsPerS": 501}, "maxCallsPerS"),
        ({"maxCalls": None, "maxCallsPerS": None}, "maxCalls"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_rule_with_a_mistake_is_rejected(client, refused, change, field):
    refused(await client.put(f"{API}/a", json=RULE | change, headers=ADMIN), 400, field)
