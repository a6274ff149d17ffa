"""Requests that belong to no call, registration, and the state of the exchange itself."""

import pytest

from cato_exchange import Answer, Challenge, Rule
from exchange.tests.raw_caller import Scene, proof

ANSWERS = Rule(number="1", does=Answer())


async def test_request_outside_a_call_gets_its_code(scene: Scene):
    _, caller = await scene.call()

    for method, headers, code in [
        ("OPTIONS", "", 200),
        ("BYE", "", 481),
        ("INFO", "", 481),
        ("SUBSCRIBE", "", 405),
        ("CANCEL", "", 481),
        ("INVITE", "Require: 100rel\r\n", 420),
    ]:
        caller._number = "1"
        caller.send(caller.request(method, headers=headers))
        response = await caller.response(code)
        assert (response.headers.get("Allow") is not None) == (method in {"OPTIONS", "SUBSCRIBE"})


async def test_register_adds_and_removes_a_binding(scene: Scene):
    exchange, caller = await scene.call()
    caller._number = "776400"
    for seconds in (60, 0):
        caller.send(caller.request("REGISTER", headers=f"Expires: {seconds}\r\n"))
        response = await caller.response(200)
        assert len(exchange.registrar.bindings("776400")) == (seconds > 0)
        assert response.headers.get("Contact") == (
            f"<sip:776400@127.0.0.1:{caller.port}>;expires=60" if seconds else None
        )


async def test_register_needs_the_planned_password(scene: Scene):
    challenge = Challenge(username="cato", password="secret")
    exchange, caller = await scene.call(registration=challenge)
    caller._number = "1"
    caller.send(caller.request("REGISTER"))
    demand = await caller.response(401)
    assert not exchange.registrar.bindings("1")

    caller.send(caller.request("REGISTER", headers=proof(demand, challenge, caller, "REGISTER")))
    await caller.response(200)

    assert len(exchange.registrar.bindings("1")) == 1


async def test_stop_completes_the_records_of_calls_in_progress(scene: Scene):
    exchange, caller = await scene.call(ANSWERS)
    await caller.talk_to("1")

    await exchange.stop()

    [record] = exchange.ended_calls
    assert record.ended_by == "shutdown"


async def test_silent_exchange_drops_requests(scene: Scene):
    exchange, caller = await scene.call(ANSWERS)
    exchange.silent = True
    caller._number = "1"
    options = caller.request("OPTIONS")
    caller.send(options)
    other = await scene.caller(exchange)
    with pytest.raises(TimeoutError):
        await other.receive(timeout=0.1)

    exchange.silent = False
    caller.send(options)
    await caller.response(200)
    assert caller.quiet


async def test_wait_calls_times_out(scene: Scene):
    exchange = await scene.exchange()

    with pytest.raises(TimeoutError):
        await exchange.wait_calls(1, timeout=0.05)
