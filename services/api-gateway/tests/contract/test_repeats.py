"""Starting a task for those whom an earlier execution has not reached."""

from uuid import UUID, uuid4

from cato_contracts.messages.campaign_commands import RepeatUnreached

API = "/api/v1"


async def test_a_task_is_started_for_the_unreached_of_its_latest_execution(client, stack, ids):
    stack.services.running.clear()
    answer = await client.post(
        f"{API}/tasks/{ids['task']}/repeat-unreached", headers={"Idempotency-Key": "k"}
    )
    assert answer.json()["result"] == "SUCCESS"
    started = answer.json()["taskExecId"]
    command = stack.services.asked[-1].body
    assert command == RepeatUnreached(actor=command.actor, id=UUID(ids["task"]), run_id=None)
    again = await client.post(f"{API}/tasks/{ids['task']}/repeat-unreached", headers={"Idempotency-Key": "k"})
    assert again.json() == answer.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    listed = (await client.get(f"{API}/task-execs")).json()["items"]
    found = {each["id"]: each.get("repeats") for each in listed}
    assert found[started] == ids["ended"]
    assert found[ids["exec"]] is None


async def test_an_execution_is_found_by_its_id(client, ids):
    async def listed(**parameters):
        answer = await client.get(f"{API}/task-execs", params=parameters)
        return [each["id"] for each in answer.json()["items"]]

    assert await listed(id=ids["exec"]) == [ids["exec"]]
    assert await listed(id=ids["exec"], taskId=ids["task"], active=True) == [ids["exec"]]
    assert await listed(id=ids["exec"], active=False) == []
    assert await listed(id=ids["exec"], taskId=ids["unknown"]) == []
    assert await listed(id=ids["unknown"]) == []


async def test_an_earlier_execution_is_named(client, stack, ids, refused):
    stack.services.running.clear()
    path = f"{API}/tasks/{ids['task']}/repeat-unreached"
    answer = await client.post(path, params={"taskExecId": ids["exec"]})
    assert answer.status_code == 200
    assert stack.services.asked[-1].body.run_id == UUID(ids["exec"])
    refused(await client.post(path, params={"taskExecId": "x"}), 400, "taskExecId")
    refused(await client.post(path, params={"taskExecId": str(uuid4())}), 404)


async def test_a_task_is_checked_and_tried_with_one_number(client, stack, ids, refused):
    check = (await client.post(f"{API}/tasks/{ids['task']}/check")).json()
    assert (check["subscribers"], check["shortestS"], check["longestS"]) == (5, 12, 600)
    assert [warning["code"] for warning in check["warnings"]] == ["running"]
    stack.services.running.clear()
    path = f"{API}/tasks/{ids['task']}/test-call"
    answer = await client.post(path, json={"number": "+7 (343) 211-06-95"})
    assert answer.json()["result"] == "SUCCESS"
    assert stack.services.asked[-1].body.number == "+73432110695"
    for body in ({}, {"number": "x"}, {"number": 776413}, {"number": "776413", "name": "Ivan"}):
        refused(await client.post(path, json=body), 400)
