"""Rendered manifests run as containers: workloads that start, are ready, and are restarted pod by pod.

What the parts of a cluster do is played as far as the system can notice: probes decide about readiness,
a hook runs before SIGTERM, the grace period bounds the drain, updates follow the strategy of the
workload, and a Service sends new connections to pods that are ready and not about to end.
"""

import socket
import socketserver
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import httpx

from tests.docker.engine import docker, inspected
from tests.docker.pods import Objects, Pod, PodTranslator

READY_S = 180


class Service:
    """A Service as a proxy at an address of the host: a new connection goes to one of the pods."""

    def __init__(self, address: str, port: int, target_port: str) -> None:
        self.pods: list[Pod] = []
        self._target_port = target_port
        self._turn = 0
        outer = self

        class Forward(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.forward(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server((address, port), Forward)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forward(self, near: socket.socket) -> None:
        pods = list(self.pods)
        if not pods:
            return
        self._turn += 1
        pod = pods[self._turn % len(pods)]
        with (
            suppress(OSError),
            socket.create_connection((pod.address, pod.port(self._target_port)), 5) as far,
        ):
            far.settimeout(None)
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Cluster:
    """The workloads of rendered objects in a network of their own.

    `entry` names the Service that requests come in by, `hosts` what the host of the tests is called in the
    network; `replicas` is for workloads that have no number.
    """

    def __init__(
        self,
        objects: Objects,
        directory: Path,
        network: str,
        *,
        entry: str,
        hosts: tuple[str, ...],
        replicas: int,
    ) -> None:
        self._objects = objects
        self._directory = directory
        self._network = network
        self._replicas = replicas
        self.pods: dict[str, list[Pod]] = {}
        self.exit_codes: dict[str, int] = {}
        # Addresses can be chosen only in a network whose range was named, so a free one is found first.
        docker("network", "create", network)
        (config,) = inspected(network)["IPAM"]["Config"]
        docker("network", "rm", network)
        docker("network", "create", "--subnet", config["Subnet"], "--gateway", config["Gateway"], network)
        self.address: str = config["Gateway"]
        self._addresses = iter(str(each) for each in list(IPv4Network(config["Subnet"]).hosts())[20:])
        self._names = iter(range(1, 1000))
        self._lock = threading.Lock()
        (port,) = objects.of("Service")[entry]["spec"]["ports"]
        self._entry = entry
        self.entry = Service(self.address, port["port"], port["targetPort"])
        at_host = dict.fromkeys([entry, *hosts], self.address)
        self._translator = PodTranslator(objects, directory, network, at_host)

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        return self._objects.of("StatefulSet") | self._objects.of("Deployment")

    def start(self) -> None:
        """Start all pods at once, as a cluster does, and return when all are ready."""
        for name, workload in self.workloads.items():
            self.pods[name] = []
            for ordinal in range(workload["spec"].get("replicas", self._replicas)):
                self._begin(name, ordinal)
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(self._await_ready, [pod for pods in self.pods.values() for pod in pods]))

    def restart(self, name: str) -> None:
        """Replace the pods of a workload one by one, in the order of its kind and strategy."""
        workload = self.workloads[name]
        ordinals = list(enumerate(self.pods[name]))
        if workload["kind"] == "StatefulSet":
            for ordinal, pod in reversed(ordinals):
                self._end(name, pod)
                self._await_ready(self._begin(name, ordinal))
            self.pods[name].reverse()
            return
        strategy = workload["spec"]["strategy"]
        surge = strategy.get("rollingUpdate", {}).get("maxSurge", 0)
        for ordinal, pod in ordinals:
            if surge:
                self._await_ready(self._begin(name, ordinal))
                self._end(name, pod)
            else:
                self._end(name, pod)
                self._await_ready(self._begin(name, ordinal))

    def stop(self) -> None:
        self.entry.close()
        for pods in self.pods.values():
            for pod in pods:
                self._keep_log(pod)
                docker("rm", "--force", "--volumes", self._container(pod))
        docker("network", "rm", self._network)

    def _begin(self, name: str, ordinal: int) -> Pod:
        workload = self.workloads[name]
        with self._lock:
            suffix = ordinal if workload["kind"] == "StatefulSet" else f"{next(self._names):03}"
            pod = Pod(f"{name}-{suffix}", workload, next(self._addresses))
            self.pods[name].append(pod)
        docker("run", *self._translator.arguments(pod))
        return pod

    def _await_ready(self, pod: Pod) -> None:
        deadline = time.monotonic() + READY_S
        while not _succeeds(pod.probe_url("readinessProbe")):
            assert time.monotonic() < deadline, f"{pod.name} is not ready: {self._keep_log(pod)[-4000:]}"
            time.sleep(0.3)
        selector = self._objects.of("Service")[self._entry]["spec"]["selector"]
        if selector.items() <= pod.labels.items():
            self.entry.pods.append(pod)

    def _end(self, name: str, pod: Pod) -> None:
        """End a pod as a cluster does: out of the Services, the hook, SIGTERM, and SIGKILL in the end."""
        started = time.monotonic()
        self.pods[name].remove(pod)
        if pod in self.entry.pods:
            self.entry.pods.remove(pod)
        hook = pod.container.get("lifecycle", {}).get("preStop", {})
        if "exec" in hook:
            docker("exec", self._container(pod), *hook["exec"]["command"])
        if "sleep" in hook:
            time.sleep(hook["sleep"]["seconds"])
        grace = pod.spec["terminationGracePeriodSeconds"] - int(time.monotonic() - started)
        docker("stop", "--time", str(grace), self._container(pod), timeout=grace + 30)
        ended = inspected(self._container(pod))
        self.exit_codes[pod.name] = ended["State"]["ExitCode"]
        if ended["RestartCount"]:
            print(f"{pod.name} was started again {ended['RestartCount']} times")
        self._keep_log(pod)
        docker("rm", self._container(pod))

    def _keep_log(self, pod: Pod) -> str:
        done = subprocess.run(
            ["docker", "logs", self._container(pod)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with (self._directory / f"{pod.name}.log").open("a") as file:
            file.write(done.stdout)
        return done.stdout

    def _container(self, pod: Pod) -> str:
        return f"{self._network}-{pod.name}"


def _succeeds(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
