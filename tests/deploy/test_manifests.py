"""The Kubernetes objects built by kustomize, compared with the settings and ports of the services."""

import re

import pytest
import yaml

from cato_runtime.access.nats_users import nats_users, password_variable
from cato_runtime.access.permissions import BrokerUser
from cato_runtime.configuration.config import Config

LONGEST_CALL_S = 7200 + 180 + 300 + 12
"""The limits of call duration, set-up and ringing, and the time that the dialer reserves to hang up."""

OUR_SECRETS = {"NATS_PASSWORD", "CLICKHOUSE_PASSWORD"}


def service_container(pod):
    (container,) = pod["containers"]
    assert container["name"] == "service"
    return container


def environment(container):
    return {each["name"]: each.get("value") for each in container.get("env", ())}


def test_manifests_have_the_six_services(manifests):
    assert set(manifests.services) == {
        *("media", "dialer-campaign", "dialer-dial", "reporting", "api-gateway", "console"),
    }


def test_each_variable_is_read_by_a_service(manifests, known_variables):
    for name, pod in manifests.services.items():
        unknown = set(environment(service_container(pod))) - known_variables - OUR_SECRETS
        assert unknown == set(), name


def test_the_console_has_no_access_to_the_broker(manifests):
    container = service_container(manifests.services["console"])
    assert not any("NATS" in name or "PASSWORD" in name for name in environment(container))
    labels = manifests.of("Deployment")["console"]["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] != "service"


def test_variable_refers_only_to_earlier_variables(manifests):
    for name, pod in manifests.services.items():
        seen = set()
        for each in service_container(pod)["env"]:
            used = set(re.findall(r"\$\((\w+)\)", each.get("value", "")))
            assert used <= seen, (name, each["name"])
            seen.add(each["name"])


def test_selectors_match_the_labels_of_their_pods(manifests):
    for name, workload in manifests.workloads.items():
        labels = workload["metadata"]["labels"].items()
        pod_labels = workload["spec"]["template"]["metadata"]["labels"].items()
        assert workload["spec"]["selector"]["matchLabels"].items() <= pod_labels, name
        assert labels <= pod_labels, name


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
def test_services_and_budgets_select_exactly_one_workload(manifests, kind):
    for name, each in manifests.of(kind).items():
        selector = each["spec"]["selector"]
        wanted = selector.get("matchLabels", selector).items()
        assert len([pod for pod in pods_labels(manifests) if wanted <= pod.items()]) == 1, name


def pods_labels(manifests):
    return [each["spec"]["template"]["metadata"]["labels"] for each in manifests.workloads.values()]


def test_services_target_named_ports(manifests):
    for name, service in manifests.of("Service").items():
        (pod,) = [
            workload["spec"]["template"]
            for workload in manifests.workloads.values()
            if service["spec"]["selector"].items()
            <= workload["spec"]["template"]["metadata"]["labels"].items()
        ]
        ports = {port["name"] for container in pod["spec"]["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name


def test_network_policies_select_pods_and_ports_that_exist(manifests):
    labels = pods_labels(manifests)
    ports = {
        port["name"]
        for workload in manifests.workloads.values()
        for container in workload["spec"]["template"]["spec"]["containers"]
        for port in container["ports"]
    }
    for name, policy in manifests.of("NetworkPolicy").items():
        spec = policy["spec"]
        selectors = [spec["podSelector"]]
        for rule in [*spec.get("ingress", ()), *spec.get("egress", ())]:
            peers = [*rule.get("from", ()), *rule.get("to", ())]
            # Pods of other namespaces are not ours.
            ours = [peer for peer in peers if "namespaceSelector" not in peer]
            selectors += [peer["podSelector"] for peer in ours if "podSelector" in peer]
            named = {port["port"] for port in rule.get("ports", ()) if isinstance(port.get("port"), str)}
            assert named <= ports, name
        for selector in selectors:
            wanted = selector.get("matchLabels", {}).items()
            assert any(wanted <= each.items() for each in labels), name


def test_each_container_has_probes_on_named_ports(manifests):
    for name, workload in manifests.workloads.items():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if "exec" in container[probe]:  # a command of its own has a test of its own
                    assert (name, probe) == ("nats", "livenessProbe")
                    continue
                assert container[probe]["httpGet"]["port"] in ports, (name, probe)


def test_health_port_is_that_of_the_image(manifests, root):
    for name, pod in manifests.services.items():
        image = re.split(r"[/:@]", service_container(pod)["image"])[1]
        text = (root / "services" / image / "Dockerfile").read_text()
        ports = re.findall(r"CATO_(?:CONSOLE_|HEALTH_)?PORT=(\d+)", text)
        assert [str(each["containerPort"]) for each in service_container(pod)["ports"]] == ports, name


def test_grace_period_of_a_pod_exceeds_the_drain_timeout(manifests):
    for name, pod in manifests.services.items():
        container = service_container(pod)
        drain = float(environment(container)["CATO_DRAIN_SECONDS"])
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= drain + pause + 10, name


def test_drain_timeout_of_the_dialer_exceeds_the_longest_call(manifests):
    container = service_container(manifests.services["dialer-dial"])
    assert float(environment(container)["CATO_DRAIN_SECONDS"]) > LONGEST_CALL_S


def test_roles_are_divided_between_the_two_dialers(manifests):
    roles = {
        name: service_container(pod)["args"]
        for name, pod in manifests.services.items()
        if name.startswith("dialer-")
    }
    assert roles == {"dialer-campaign": ["--roles", "campaign"], "dialer-dial": ["--roles", "dial"]}


def test_images_have_a_dockerfile_and_one_tag(manifests, root):
    tags = set()
    for name, pod in manifests.services.items():
        image, _, tag = service_container(pod)["image"].partition(":")
        # With a digest there is no tag.
        image, _, digest = image.partition("@")
        assert (root / "services" / image.removeprefix("cato/") / "Dockerfile").exists(), name
        tags.add("by digest" if digest else tag)
    assert len(tags) == 1
    assert tags != {""}
    assert (tags == {"by digest"}) is (manifests.overlay == "pinned")


def test_pods_run_without_privileges(manifests):
    for name, workload in manifests.workloads.items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context["readOnlyRootFilesystem"] is (name != "clickhouse"), name


def test_each_container_has_resource_requests(manifests):
    for name, workload in manifests.workloads.items():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert "memory" in container["resources"]["limits"], name


def test_mounted_and_referenced_objects_exist(manifests):
    secrets = {
        name: {*each.get("data", ()), *each.get("stringData", ())}
        for name, each in manifests.of("Secret").items()
    }
    maps = manifests.of("ConfigMap")
    for name, workload in manifests.workloads.items():
        pod = workload["spec"]["template"]["spec"]
        claims = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"] for volume in pod["volumes"]} | claims
        for volume in pod["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in maps, name
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                assert keys <= secrets[volume["secret"]["secretName"]], name
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, name
            for each in container.get("env", ()):
                reference = each.get("valueFrom", {}).get("secretKeyRef")
                assert reference is None or reference["key"] in secrets[reference["name"]], name


def test_configuration_is_valid_for_the_services(manifests):
    config = Config.model_validate(yaml.safe_load(manifests.data("cato-config")["cato.yaml"]))
    assert config.channels > 0
    assert all(token.token is None for token in config.tokens)


def test_files_named_in_the_configuration_are_mounted(manifests):
    config = Config.model_validate(yaml.safe_load(manifests.data("cato-config")["cato.yaml"]))
    read = {"api-gateway": {str(token.token_file) for token in config.tokens}}
    passwords = {str(station.auth.password_file) for station in config.stations if station.auth is not None}
    read["dialer-dial"] = passwords
    for name, files in read.items():
        pod = manifests.services[name]
        (volume,) = [each["secret"] for each in pod["volumes"] if "secret" in each]
        (mount,) = [each for each in service_container(pod)["volumeMounts"] if each["name"] == "secrets"]
        assert files <= {f"{mount['mountPath']}/{item['path']}" for item in volume["items"]}


def test_rtp_port_range_is_large_enough_for_the_channels(manifests):
    config = Config.model_validate(yaml.safe_load(manifests.data("cato-config")["cato.yaml"]))
    if config.dialing.rtp_port_from:
        ports = config.dialing.rtp_port_till - config.dialing.rtp_port_from + 1
        assert ports >= 2 * config.channels


USERS = {
    "api-gateway": BrokerUser.GATEWAY,
    "media": BrokerUser.MEDIA,
    "dialer-campaign": BrokerUser.CAMPAIGN,
    "dialer-dial": BrokerUser.DIAL,
    "reporting": BrokerUser.REPORTING,
}


def test_each_service_has_its_user_of_the_broker_and_its_password_alone(manifests):
    assert set(manifests.services) == {*USERS, "console"}
    for name, user in USERS.items():
        pod = manifests.services[name]
        assert environment(service_container(pod))["CATO_NATS_URL"] == f"nats://{user}@nats:4222"
        (items,) = [each["secret"]["items"] for each in pod["volumes"] if "secret" in each]
        passwords = [each for each in items if each["key"].startswith("nats-")]
        assert passwords == [{"key": f"nats-password-{user}", "path": "nats-password"}]


def test_the_broker_has_the_passwords_of_all_its_users(manifests):
    (container,) = manifests.of("StatefulSet")["nats"]["spec"]["template"]["spec"]["containers"]
    keys = {
        each["name"]: each["valueFrom"]["secretKeyRef"]["key"]
        for each in container["env"]
        if each["name"].startswith("NATS_PASSWORD_")
    }
    assert keys == {password_variable(user): f"nats-password-{user}" for user in BrokerUser}
    assert manifests.data("nats-config")["nats-users.conf"].endswith(nats_users())


def test_streams_have_a_replica_on_each_broker(manifests):
    servers = manifests.of("StatefulSet")["nats"]["spec"]["replicas"]
    for name, pod in manifests.services.items():
        if name != "console":
            assert int(environment(service_container(pod))["CATO_NATS_REPLICAS"]) == servers, name
    (container,) = manifests.of("StatefulSet")["nats"]["spec"]["template"]["spec"]["containers"]
    addresses = environment(container)
    routes = re.findall(r"\$(NATS_ROUTE_\d)", manifests.data("nats-config")["nats.conf"])
    assert len(routes) == (servers if servers > 1 else 0)
    for number, route in enumerate(routes):
        assert addresses[route].endswith(f"@nats-{number}.nats-headless:6222")


def test_one_process_writes_the_read_model(manifests):
    spec = manifests.of("Deployment")["reporting"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("manifests", ["production", "plain"], indirect=True)
def test_production_overlay_contains_no_secret(manifests):
    (secret,) = manifests.of("Secret").values()
    assert set(secret["stringData"].values()) == {""}


@pytest.mark.parametrize("manifests", ["dev"], indirect=True)
def test_dialers_are_not_scaled_in_the_dev_overlay(manifests):
    assert manifests.of("ScaledObject") == {}


@pytest.mark.parametrize("manifests", ["production"], indirect=True)
def test_dialers_are_scaled_by_the_calls_that_they_are_wanted_for(manifests):
    (target,) = manifests.of("ScaledObject").values()
    workload = manifests.of("Deployment")[target["spec"]["scaleTargetRef"]["name"]]
    assert "replicas" not in workload["spec"]
    trigger = target["spec"]["triggers"][0]["metadata"]
    assert trigger["valueLocation"] == "callsWanted"
    service, port = re.fullmatch(r"http://([\w-]+)\.cato\.svc:(\d+)/readyz", trigger["url"]).groups()
    assert [each["port"] for each in manifests.of("Service")[service]["spec"]["ports"]] == [int(port)]


@pytest.mark.parametrize("manifests", ["plain"], indirect=True)
def test_dialers_without_keda_are_scaled_by_their_processor_time(manifests):
    assert manifests.of("ScaledObject") == {}
    for name, scaler in manifests.of("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in manifests.of("Deployment")[name]["spec"]


def test_pods_have_a_priority_and_meet_the_profile_of_the_namespace(manifests):
    classes = set(manifests.of("PriorityClass"))
    pods = {name: each["spec"]["template"]["spec"] for name, each in manifests.workloads.items()}
    assert {pod["priorityClassName"] for pod in pods.values()} == classes
    profile = manifests.of("Namespace")["cato"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    in_network_of_host = any(pod.get("hostNetwork") for pod in pods.values())
    assert profile == ("privileged" if in_network_of_host else "restricted")
    for name, pod in pods.items():
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name


def test_secrets_of_the_services_are_files(manifests):
    for name, pod in manifests.services.items():
        sources = [each.get("valueFrom", {}) for each in service_container(pod)["env"]]
        assert not any("secretKeyRef" in source for source in sources), name


def test_dialers_take_the_address_of_their_node_or_pod(manifests):
    pod = manifests.services["dialer-dial"]
    (bind,) = [each for each in service_container(pod)["env"] if each["name"] == "CATO_DIAL_BIND_ADDRESS"]
    expected = "status.hostIP" if pod.get("hostNetwork") else "status.podIP"
    assert bind["valueFrom"]["fieldRef"]["fieldPath"] == expected


@pytest.mark.parametrize("manifests", ["pinned"], indirect=True)
def test_images_of_the_pinned_overlay_have_digests(manifests):
    for name, workload in manifests.workloads.items():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), name


def test_alerts_of_the_operator_are_those_of_prometheus(root):
    rules = yaml.safe_load((root / "deploy/prometheus/cato-rules.yml").read_text())
    component = root / "deploy/k8s/components/monitoring/prometheus-rule.yaml"
    assert yaml.safe_load(component.read_text())["spec"] == rules
