"""`GET /me`: the user and the permissions of a token."""

import pytest

ME = "/api/v1/me"


@pytest.mark.parametrize(
    ("token", "user", "permissions"),
    [
        ("default", "user", ["read", "write", "run"]),
        ("reader", "user", ["read"]),
        ("analyst", "analyst", ["analyst"]),
        ("admin", "root", ["read", "write", "run", "admin"]),
    ],
)
async def test_any_known_token_is_told_its_user_and_permissions(client, token, user, permissions):
    answer = await client.get(ME, headers={"Authorization": f"Bearer plain:{token}"})
    assert answer.json() == {"userId": user, "permissions": permissions}


async def test_an_unknown_token_is_refused(client, refused):
    refused(await client.get(ME, headers={"Authorization": "Bearer plain:no"}), 401, "not known")
    refused(await client.get(f"{ME}?a=b"), 400, "a")
