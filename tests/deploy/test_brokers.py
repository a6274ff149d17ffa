"""The broker's configuration files and the scaler's query, tested with a real nats-server."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from nats.errors import Error as NatsError
from structlog.testing import capture_logs

from cato_dialer.campaign.adapters.campaign_gauges import CampaignGauges
from cato_runtime.access.nats_users import nats_users, password_variable
from cato_runtime.access.permissions import BrokerUser
from cato_runtime.broker import broker_of as broker_client
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.process.embedded_nats import server_program
from tests.chaos.small_disk import fill, mount, unmount
from tests.support.nats_server import NatsServer

ROOT = Path(__file__).parents[2]
SERVER = server_program()
FILES = {
    "compose": ROOT / "deploy/compose/nats.conf",
    "base": ROOT / "deploy/k8s/base/config/nats.conf",
    "dev": ROOT / "deploy/k8s/overlays/dev/config/nats.conf",
}
USERS = ROOT / "deploy/k8s/base/config/nats-users.conf"
"""Included by each of these, beside which it is mounted."""
ROUTES = {
    f"NATS_ROUTE_{number}": f"nats://route:secret-2@nats-{number}.nats-headless:6222" for number in range(3)
}
ENVIRONMENT = {
    **os.environ,
    "POD_NAME": "nats-0",
    **{password_variable(user): f"secret-of-{user}" for user in BrokerUser},
    "NATS_ROUTE_PASSWORD": "secret-2",
    **ROUTES,
}


@pytest.mark.parametrize("name", FILES)
async def test_server_accepts_the_configuration_file(name, tmp_path):
    shutil.copy(FILES[name], tmp_path / "nats.conf")
    shutil.copy(USERS, tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(SERVER, "-t", "-c", tmp_path / "nats.conf"), env=ENVIRONMENT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()


@asynccontextmanager
async def broker_of(file, tmp_path):
    """Start a server with the settings of the file, but its own ports and directory."""
    text = re.sub(
        r"^(http_)?port: \d+$",
        lambda match: f"{match[1] or ''}port: -1",
        file.read_text(),
        flags=re.MULTILINE,
    )
    text = text.replace("store_dir: /data", f"store_dir: {json.dumps(str(tmp_path / 'data'))}")
    text = re.sub(r"^pid_file.*$", "", text, flags=re.MULTILINE)
    ports = tmp_path / "ports"
    ports.mkdir()
    shutil.copy(USERS, tmp_path)
    configuration = tmp_path / "nats.conf"
    configuration.write_text(f"{text}\nports_file_dir: {json.dumps(str(ports))}\nhost: 127.0.0.1\n")
    process = await asyncio.create_subprocess_exec(
        *(SERVER, "-c", configuration, "-l", tmp_path / "log"), env=ENVIRONMENT
    )
    try:
        async with asyncio.timeout(20):
            while not (found := [each.read_text() for each in ports.glob("*.ports")]) or not found[0].strip():
                assert process.returncode is None, (tmp_path / "log").read_text()
                await asyncio.sleep(0.02)
        yield json.loads(found[0])
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("name", ["compose", "dev"])
@pytest.mark.parametrize(("channels", "wanted"), [(30, 3), (2, 2), (0, 0)])
async def test_dialers_are_wanted_for_as_many_calls_as_jobs_or_channels(name, channels, wanted, tmp_path):
    async with broker_of(FILES[name], tmp_path) as ports:
        address = ports["nats"][0].removeprefix("nats://")
        password = tmp_path / "password"
        password.write_text("secret-of-campaign\n")
        settings = ServiceSettings(nats_url=f"nats://campaign@{address}", nats_password_file=password)
        broker = broker_client(settings, "test")
        js = (await connect(broker)).jetstream()
        await ensure_topology(js)
        for number in range(3):
            await js.publish(f"dial.run.1.{number}", b"job")
        gauges = CampaignGauges(js, lambda: 1, lambda: channels, interval_s=0.05)
        assert gauges.calls_wanted() is None
        await gauges.start()
        async with asyncio.timeout(10):
            while gauges.calls_wanted() is None:
                await asyncio.sleep(0.02)
        assert gauges.calls_wanted() == wanted
        samples = [sample for each in gauges.collect() for sample in each.samples]
        shown = {each.labels["stream"]: each.value for each in samples if each.name == "cato_stream_messages"}
        assert shown == {"EVENTS": 0, "RUNS": 0, "DIAL": 3, "DEAD": 0, "AUDIT": 0, "SIP_TRACES": 0}
        await gauges.stop()
        await broker.stop()


async def test_client_without_the_password_is_rejected(tmp_path):
    async with broker_of(FILES["compose"], tmp_path) as ports:
        address = ports["nats"][0].removeprefix("nats://")
        reader, writer = await asyncio.open_connection(*address.rsplit(":", 1))
        async with asyncio.timeout(5):
            assert b'"auth_required":true' in await reader.readline()
            writer.write(b"CONNECT {}\r\nPING\r\n")
            assert b"Authorization Violation" in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_services_are_told_to_restart_when_their_password_is_replaced(tmp_path):
    def write(password, port):
        text = f"host: 127.0.0.1\nport: {port}\nauthorization {{\n{nats_users(password)}}}\n"
        (tmp_path / "nats.conf").write_text(text)

    write("first", -1)
    server = NatsServer(tmp_path, tmp_path / "nats.conf")
    broker = make_broker(server.url.replace("://", "://media:first@"), "media")
    with capture_logs() as logs:
        client = await connect(broker)
        write("second", client.connected_url.port)
        server.send(signal.SIGHUP)
        async with asyncio.timeout(30):
            while not client.is_closed:
                await asyncio.sleep(0.02)
    server.stop()
    # Then `/healthz` fails, and the process is replaced.
    assert [each["event"] for each in logs] == [
        *("broker connection lost", "broker client closed: restart the service")
    ]
    assert "authorization" in logs[-1]["error"].lower()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB for the data of the broker."""
    (tmp_path / "data").mkdir()
    try:
        mount(tmp_path / "data", "64m")
    except OSError as error:
        pytest.skip(f"NOT SHOWN: a file system cannot be mounted here: {error}")
    yield tmp_path / "data"
    unmount(tmp_path / "data")


def liveness_probe(ports, disk, programs):
    """Return the probe of the manifest for this server, and the variables that it runs with."""
    documents = yaml.safe_load_all((ROOT / "deploy/k8s/base/nats.yaml").read_text())
    nats = next(each for each in documents if each["kind"] == "StatefulSet")
    command = nats["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["exec"]["command"]
    port = ports["monitoring"][0].rsplit(":", 1)[1]
    # The image has the nc of busybox; this machine may have none.
    programs.mkdir()
    (programs / "nc").write_text(
        f"#!{sys.executable}\nimport socket, sys\n"
        "with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as peer:\n"
        "    peer.sendall(sys.stdin.buffer.read())\n"
        "    while data := peer.recv(65536):\n"
        "        sys.stdout.buffer.write(data)\n"
    )
    (programs / "nc").chmod(0o755)
    script = command[-1].replace("127.0.0.1:8222", f"127.0.0.1:{port}")
    script = script.replace("127.0.0.1 8222", f"127.0.0.1 {port}").replace("/data", str(disk))
    return [*command[:-1], script], {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


async def publish_until_refused(js):
    for number in range(1000):
        await js.publish(f"dial.run.1.{number}", bytes(10_000))


async def test_s1_liveness_probe_restarts_a_server_that_stores_nothing_once_its_disk_has_space(
    tmp_path, small_disk
):
    async with broker_of(FILES["dev"], tmp_path) as ports:
        probe, variables = liveness_probe(ports, small_disk, tmp_path / "programs")

        async def alive():
            running = await asyncio.create_subprocess_exec(*probe, env=variables)
            return await running.wait() == 0

        broker = make_broker(
            f"nats://campaign:secret-of-campaign@{ports['nats'][0].removeprefix('nats://')}", "test"
        )
        client = await connect(broker)
        js = client.jetstream(timeout=2)
        await ensure_topology(js)
        assert await alive()
        ballast = fill(small_disk)
        with pytest.raises(NatsError):
            await publish_until_refused(js)
        assert await alive(), "a restart does not help while the disk is full"
        ballast.unlink()
        assert not await alive(), "the server is to be restarted now"
        await broker.stop()
