"""The command `cato dead-letters` against a real broker."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass

import pytest

from cato_contracts.subjects import DIAL, RUNS
from cato_jetstream import DeadLetters, Origin
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_stack.dead_letters import app
from tests.support.preloaded.process import AsyncPreloadedProcess

JOB = Origin("dial.r.1.0", DIAL.name, 7)
EVENT = Origin("run.r.call.3", RUNS.name, 21)


@pytest.fixture
async def server(tmp_path):
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def js(server):
    broker = make_broker(server.url, "test")
    js = (await connect(broker)).jetstream()
    await ensure_topology(js)
    yield js
    await broker.stop()


@pytest.fixture
async def letters(js):
    assert await DeadLetters(js, "dialer").publish(b"{", JOB, "no JSON:\nкак так")
    assert await DeadLetters(js, "reporting").publish(b"\xff", EVENT, "not UTF-8")


@dataclass
class Result:
    exit_code: int
    stdout: str


async def cato(*arguments):
    """Run the command."""
    command = ["cato", "dead-letters", *arguments]
    return await ended(
        await AsyncPreloadedProcess.start("stack.tests.support.letters:main", command, stdout=subprocess.PIPE)
    )


async def cato_of_an_operator(*arguments, **variables):
    """Run the command as an operator does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cato_stack", "dead-letters", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **variables},
    )
    return await ended(process)


async def ended(process):
    async with asyncio.timeout(60):
        stdout, _ = await process.communicate()
    return Result(process.returncode, stdout.decode())


async def test_a_letter_is_kept_once(js):
    dialer = DeadLetters(js, "dialer")
    assert [await dialer.publish(b"{", JOB, "bad") for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("letters")
async def test_list_shows_where_each_letter_came_from_and_why(server):
    lines = (await cato("list", "--broker", server.url)).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["1", "2"]
    assert lines[0].split("\t")[2:4] == ["dialer", "dial.r.1.0"]
    assert lines[0].split("\t")[4].startswith("no JSON: ")
    assert (await cato("list", "--service", "reporting", "--broker", server.url)).stdout.startswith("2\t")


@pytest.mark.usefixtures("letters")
async def test_show_prints_the_message_and_its_origin(server):
    shown = json.loads((await cato("show", "2", "--broker", server.url)).stdout)
    assert shown["message"] == "\\xff"
    assert (shown["stream"], shown["sequence"], shown["reason"]) == ("RUNS", 21, "not UTF-8")
    missing = await cato("show", "9", "--broker", server.url)
    assert missing.exit_code == 1


@pytest.mark.usefixtures("letters")
async def test_every_example_of_the_help_works(server):
    examples = [command.epilog.split("\n\n")[1] for command in app.registered_commands]
    assert len(examples) == 3
    for example in examples:
        program, group, *arguments = shlex.split(example)
        assert (program, group) == ("cato", "dead-letters")
        assert (await cato_of_an_operator(*arguments, CATO_NATS_URL=server.url)).exit_code == 0, example


@pytest.mark.usefixtures("letters")
async def test_a_replayed_job_is_queued_again_and_its_letter_is_gone(server, js):
    assert (await cato("replay", "1", "--broker", server.url)).exit_code == 0
    assert (await js.get_last_msg(DIAL.name, JOB.subject)).data == b"{"
    assert (await cato("list", "--broker", server.url)).stdout.startswith("2\t")


@pytest.mark.usefixtures("letters")
async def test_a_message_of_a_log_is_not_published_twice(server, js):
    refused = await cato("replay", "2", "--broker", server.url)
    assert refused.exit_code == 1
    assert (await js.stream_info(RUNS.name)).state.messages == 0
    assert "2\t" in (await cato("list", "--broker", server.url)).stdout


async def test_without_a_stack_the_command_fails(tmp_path, monkeypatch):
    monkeypatch.delenv("CATO_NATS_URL", raising=False)
    assert (await cato("list", "--data", str(tmp_path))).exit_code == 1
