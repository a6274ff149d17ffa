"""The pods of rendered manifests as arguments of `docker run`.

A pod becomes a container with an address of its own in a network of the tests, which stands for its
node, too: so in the network of the host each dialer has a machine of its own. Config maps and secrets
become files, claims directories that outlive the container, and empty directories file systems in
memory. Network policies are not translated.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNITS = {"Ki": "k", "Mi": "m", "Gi": "g"}


@dataclass(frozen=True)
class Pod:
    """One pod of a workload."""

    name: str
    workload: dict[str, Any]
    address: str

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.workload["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.spec["containers"]
        return dict(container)

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.workload["spec"]["template"]["metadata"]["labels"])

    def port(self, name: str | int) -> int:
        if isinstance(name, int):
            return name
        (found,) = [each["containerPort"] for each in self.container["ports"] if each["name"] == name]
        return int(found)

    def probe_url(self, probe: str) -> str:
        asked = self.container[probe]["httpGet"]
        return f"http://{self.address}:{self.port(asked['port'])}{asked['path']}"


class Objects:
    """Rendered objects by kind and name."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self._objects = objects

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self._objects if each["kind"] == kind}

    def secret(self, name: str) -> dict[str, str]:
        return dict(self.of("Secret")[name]["stringData"])


class PodTranslator:
    """Returns the arguments of pods; writes the files that they mount to a directory."""

    def __init__(self, objects: Objects, directory: Path, network: str, hosts: dict[str, str]) -> None:
        self._objects = objects
        self._directory = directory
        self._network = network
        self._hosts = hosts

    def arguments(self, pod: Pod) -> list[str]:
        """Return what follows `docker run`."""
        # Containers that end by themselves are started again, as in a pod.
        given = [
            "--detach",
            "--restart",
            "always",
            "--pull",
            "never",
            "--name",
            f"{self._network}-{pod.name}",
        ]
        given += ["--hostname", pod.name, "--network", self._network, "--ip", pod.address]
        for alias in self._aliases(pod):
            given += ["--network-alias", alias]
        for host, address in self._hosts.items():
            given += ["--add-host", f"{host}:{address}"]
        given += self._security(pod)
        for name, value in self._environment(pod).items():
            given += ["--env", f"{name}={value}"]
        for mount in pod.container.get("volumeMounts", ()):
            given += self._mount(pod, mount)
        limit = pod.container["resources"]["limits"]["memory"]
        given += ["--memory", re.sub(r"[A-Z]i$", lambda unit: _UNITS[unit[0]], limit)]
        assert "command" not in pod.container
        return [*given, pod.container["image"], *pod.container.get("args", ())]

    def _aliases(self, pod: Pod) -> list[str]:
        found = [
            name
            for name, service in self._objects.of("Service").items()
            if service["spec"]["selector"].items() <= pod.labels.items() and name not in self._hosts
        ]
        if pod.workload["kind"] == "StatefulSet":
            found.append(f"{pod.name}.{pod.workload['spec']['serviceName']}")
        return found

    def _security(self, pod: Pod) -> list[str]:
        of_pod, own = pod.spec["securityContext"], pod.container["securityContext"]
        assert of_pod["runAsNonRoot"] is True
        assert own["allowPrivilegeEscalation"] is False
        given = ["--user", f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}"]
        given += ["--security-opt", "no-new-privileges:true"]
        given += [each for name in own["capabilities"]["drop"] for each in ("--cap-drop", name)]
        return [*given, "--read-only"] if own["readOnlyRootFilesystem"] else given

    def _environment(self, pod: Pod) -> dict[str, str]:
        values: dict[str, str] = {}
        for each in pod.container.get("env", ()):
            value = each["value"] if "value" in each else self._value_from(pod, each["valueFrom"])
            values[each["name"]] = re.sub(r"\$\((\w+)\)", lambda name: values[name[1]], value)
        return values

    def _value_from(self, pod: Pod, source: dict[str, Any]) -> str:
        if "secretKeyRef" in source:
            return self._objects.secret(source["secretKeyRef"]["name"])[source["secretKeyRef"]["key"]]
        path = source["fieldRef"]["fieldPath"]
        return {"metadata.name": pod.name, "status.podIP": pod.address, "status.hostIP": pod.address}[path]

    def _mount(self, pod: Pod, mount: dict[str, Any]) -> list[str]:
        claims = {each["metadata"]["name"] for each in pod.workload["spec"].get("volumeClaimTemplates", ())}
        group = pod.spec["securityContext"]["fsGroup"]
        if mount["name"] in claims:
            directory = self._directory / "claims" / f"{mount['name']}-{pod.name}"
            directory.mkdir(parents=True, exist_ok=True)
            shutil.chown(directory, pod.spec["securityContext"]["runAsUser"], group)
            return ["--volume", f"{directory}:{mount['mountPath']}"]
        (volume,) = [each for each in pod.spec["volumes"] if each["name"] == mount["name"]]
        if "emptyDir" in volume:
            return [
                "--tmpfs",
                f"{mount['mountPath']}:uid={pod.spec['securityContext']['runAsUser']},mode=0770",
            ]
        directory = self._directory / "files" / pod.name / mount["name"]
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self._files(volume).items():
            file = directory / name
            file.write_text(content)
            file.chmod(volume.get("secret", {}).get("defaultMode", 0o644))
            shutil.chown(file, 0, group)
        return ["--volume", f"{directory}:{mount['mountPath']}:ro"]

    def _files(self, volume: dict[str, Any]) -> dict[str, str]:
        if "configMap" in volume:
            return dict(self._objects.of("ConfigMap")[volume["configMap"]["name"]]["data"])
        secret = self._objects.secret(volume["secret"]["secretName"])
        return {each["path"]: secret[each["key"]] for each in volume["secret"]["items"]}
