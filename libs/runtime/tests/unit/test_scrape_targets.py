"""The files by which Prometheus finds processes."""

import json
import socket

from cato_runtime.scrape_targets import scrape_target


def addresses(directory):
    return {each["targets"][0] for file in directory.glob("*.json") for each in json.loads(file.read_text())}


def test_a_process_is_named_while_it_runs(tmp_path):
    with scrape_target(tmp_path / "targets", "media", "127.0.0.1", 8081):
        (file,) = (tmp_path / "targets").iterdir()
        assert json.loads(file.read_text()) == [
            {"targets": ["127.0.0.1:8081"], "labels": {"service": "media"}}
        ]
    assert list((tmp_path / "targets").iterdir()) == []


def test_without_a_directory_nothing_is_written(tmp_path):
    with scrape_target(None, "media", "127.0.0.1", 8081):
        assert list(tmp_path.iterdir()) == []


def test_an_address_of_all_interfaces_becomes_that_of_the_machine(tmp_path):
    with scrape_target(tmp_path, "media", "0.0.0.0", 8081):
        assert addresses(tmp_path) == {f"{socket.gethostbyname(socket.gethostname())}:8081"}


def test_a_starting_process_removes_those_of_its_service_that_were_killed(tmp_path):
    def left(service, port):
        content = [{"targets": [f"127.0.0.1:{port}"], "labels": {"service": service}}]
        (tmp_path / f"{service}-127.0.0.1-{port}.json").write_text(json.dumps(content))

    with socket.create_server(("127.0.0.1", 0)) as alive:
        port = alive.getsockname()[1]
        left("dialer", port)
        left("dialer", 1)
        left("dialer-dial", 1)
        left("media", 1)
        with scrape_target(tmp_path, "dialer", "127.0.0.1", 2):
            names = {file.name for file in tmp_path.iterdir()}
    assert names == {
        f"dialer-127.0.0.1-{port}.json",
        "dialer-127.0.0.1-2.json",
        "dialer-dial-127.0.0.1-1.json",
        "media-127.0.0.1-1.json",
    }
