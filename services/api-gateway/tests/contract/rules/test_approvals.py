"""`/approvals`, `approve` and `reject`: a second user decides, and what is sent reaches the dialer."""

from uuid import UUID

import pytest

API = "/api/v1"
HEAD = {"Authorization": "Bearer plain:head"}
ADMIN = {"Authorization": "Bearer plain:admin"}


@pytest.fixture
def waiting(stack, ids) -> str:
    """The id of an execution of `user` that waits."""
    stack.services.approvals.need(UUID(ids["exec"]), "user")
    return ids["exec"]


@pytest.mark.parametrize(("verb", "state"), [("approve", "APPROVED"), ("reject", "REJECTED")])
async def test_a_second_user_decides_with_a_comment(client, waiting, refused, verb, state):
    listed = (await client.get(f"{API}/approvals", headers=HEAD)).json()["items"]
    assert [(each["id"], each["approval"]["state"]) for each in listed] == [(waiting, "WAITING")]
    answer = await client.post(
        f"{API}/task-execs/{waiting}/{verb}",
        json={"comment": "seen"},
        headers={**HEAD, "Idempotency-Key": "k"},
    )
    assert answer.json() == {
        "state": state,
        "requestedBy": "user",
        "until": "2030-01-01T00:00:00Z",
        "by": "head",
        "at": "2024-03-24T08:31:00Z",
        "comment": "seen",
    }
    again = await client.post(
        f"{API}/task-execs/{waiting}/{verb}",
        json={"comment": "seen"},
        headers={**HEAD, "Idempotency-Key": "k"},
    )
    assert again.json() == answer.json()
    document = (await client.get(f"{API}/task-execs/{waiting}?subscribers=none")).json()
    assert document["approval"] == answer.json()
    assert (await client.get(f"{API}/approvals", headers=HEAD)).json()["items"] == []
    refused(await client.post(f"{API}/task-execs/{waiting}/{verb}", headers=HEAD), 409)
    change = (await client.get(f"{API}/audit", headers=ADMIN)).json()["items"][0]
    assert (change["userId"], change["operation"], change["resourceId"]) == ("head", f"{verb}_run", waiting)
    assert change["after"] == answer.json()


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"comment": None}}, {"json": {"comment": " "}}])
async def test_a_decision_needs_no_comment(client, waiting, body):
    answer = await client.post(f"{API}/task-execs/{waiting}/approve", headers=HEAD, **body)
    assert answer.status_code == 200
    assert "comment" not in answer.json()


async def test_a_decision_needs_the_permission_and_another_user(client, stack, waiting, refused):
    path = f"{API}/task-execs/{waiting}/approve"
    refused(await client.post(path), 403, "approve")
    refused(await client.get(f"{API}/approvals"), 403, "approve")
    stack.services.approvals.need(UUID(waiting), "head")
    refused(await client.post(path, headers=HEAD), 403, "another user")


async def test_an_execution_that_needs_no_approval_is_not_shown_to_others(client, ids, refused):
    path = f"{API}/task-execs/{ids['exec']}"
    refused(await client.post(f"{path}/approve", headers=HEAD), 404)
    assert "approval" not in (await client.get(f"{path}?subscribers=none")).json()


@pytest.mark.parametrize("body", [{"comment": "c" * 501}, {"comment": 1}, {"coment": "c"}, []])
async def test_a_decision_with_a_mistake_is_rejected(client, waiting, refused, body):
    refused(await client.post(f"{API}/task-execs/{waiting}/reject", json=body, headers=HEAD), 400)


async def test_a_parameter_that_is_not_known_is_refused(client, refused):
    refused(await client.get(f"{API}/approvals?limitt=1", headers=HEAD), 400, "limitt")
