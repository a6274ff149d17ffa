"""docker-compose.yml, compared with the settings and ports of the services. No Docker engine is needed."""

import re
from pathlib import Path

import pytest
import yaml

from cato_runtime.access.nats_users import password_variable
from cato_runtime.access.permissions import BrokerUser
from cato_runtime.configuration.config import Config

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = DOCUMENT["services"]
PROFILES = {name: each["profiles"] for name, each in SERVICES.items() if "profiles" in each}
OURS = {
    name: each
    for name, each in SERVICES.items()
    if each["image"].startswith("cato/") and name not in PROFILES
}
SERVICE_KEYS = {
    *("image", "build", "command", "environment", "volumes", "ports", "depends_on", "healthcheck", "restart"),
    *("stop_grace_period", "network_mode", "read_only", "tmpfs", "cap_drop", "security_opt", "logging"),
    *("ulimits", "init", "profiles"),
}
"""The keys of the compose specification in use. Check the specification before adding another."""


def test_compose_file_has_the_whole_system():
    assert set(SERVICES) == {
        *("nats", "clickhouse", "media", "dialer-campaign", "dialer-dial", "reporting", "api-gateway"),
        *("console", *PROFILES),
    }
    assert {
        **{name: ["monitoring"] for name in ("prometheus", "alertmanager", "grafana")},
        "exchange": ["exchange"],
    } == PROFILES


@pytest.mark.parametrize("name", SERVICES)
def test_service_uses_known_keys_of_the_specification(name):
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert re.fullmatch(r"\d+s", service["stop_grace_period"])
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_and_mounts_of_a_service_exist(name):
    service = SERVICES[name]
    for other in service.get("depends_on", {}):
        assert "healthcheck" in SERVICES[other]
    for volume in service.get("volumes", ()):
        source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in DOCUMENT["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_read_by_a_service(name, known_variables):
    given = {key for key in OURS[name]["environment"] if key.startswith("CATO_")}
    assert given <= known_variables


@pytest.mark.parametrize("name", OURS)
def test_image_of_a_service_is_built_from_its_dockerfile(name):
    file = OURS[name]["build"]["dockerfile"]
    assert (ROOT / file).is_file()
    assert OURS[name]["image"] == f"cato/{Path(file).parent.name}"


@pytest.mark.parametrize("name", OURS)
def test_grace_period_of_a_container_exceeds_the_drain_timeout(name):
    drain = float(OURS[name]["environment"]["CATO_DRAIN_SECONDS"])
    assert float(OURS[name]["stop_grace_period"].removesuffix("s")) >= drain + 10


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"console"}))
def test_services_are_stopped_before_the_broker_is_replaced(name):
    assert SERVICES[name]["depends_on"]["nats"] == {"condition": "service_healthy", "restart": True}


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"console"}))
def test_configuration_is_a_directory_in_which_an_edited_file_is_seen(name):
    assert "${CATO_CONFIG_DIRECTORY:-./deploy/compose/config}:/etc/cato:ro" in SERVICES[name]["volumes"]


def test_what_a_dialer_could_not_write_outlives_its_container():
    dial = SERVICES["dialer-dial"]
    assert "dialers:/var/lib/cato" in dial["volumes"]
    assert dial["tmpfs"] == ["/tmp"]
    # The replicas share the volume, but not the file that names the port of their own health endpoint.
    assert dial["environment"]["CATO_HEALTH_PORT_FILE"].startswith("/tmp/")


@pytest.mark.parametrize("name", OURS)
def test_service_that_is_stopped_while_it_starts_ends(name):
    assert SERVICES[name]["init"] is True


def test_dialers_can_be_scaled_on_one_host():
    dial = SERVICES["dialer-dial"]
    assert dial["network_mode"] == "host"
    # No name or port that a second container would find in use.
    assert dial["environment"]["CATO_HEALTH_PORT"] == "0"
    assert "ports" not in dial
    assert "container_name" not in dial
    assert dial["command"] == ["--roles", "dial"]
    assert SERVICES["dialer-campaign"]["command"] == ["--roles", "campaign"]


def test_each_service_has_its_user_of_the_broker():
    users = {
        name: re.fullmatch(
            r"nats://(\w+):\$\{(\w+):\?[^}]*\}@.*", each["environment"]["CATO_NATS_URL"]
        ).groups()
        for name, each in OURS.items()
        if "CATO_NATS_URL" in each["environment"]
    }
    expected = {
        "media": BrokerUser.MEDIA,
        "dialer-campaign": BrokerUser.CAMPAIGN,
        "dialer-dial": BrokerUser.DIAL,
        "reporting": BrokerUser.REPORTING,
        "api-gateway": BrokerUser.GATEWAY,
    }
    assert users == {name: (user, password_variable(user)) for name, user in expected.items()}
    given = SERVICES["nats"]["environment"]
    assert set(given) == {password_variable(user) for user in BrokerUser}
    assert all(value == f"${{{name}:?set it in .env}}" for name, value in given.items())


def test_ports_are_published_on_the_loopback_address():
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {
        "nats": ["${NATS_ADDRESS:-127.0.0.1:4222}:4222"],
        "clickhouse": ["${CLICKHOUSE_ADDRESS:-127.0.0.1:8123}:8123"],
        "api-gateway": ["${API_ADDRESS:-127.0.0.1:8080}:8080"],
        "console": ["${CONSOLE_ADDRESS:-127.0.0.1:8090}:8090"],
    }


def test_secrets_have_no_defaults():
    named = re.findall(r"\$\{((?:\w*PASSWORD|\w*TOKEN)[^}]*)\}", (ROOT / "docker-compose.yml").read_text())
    assert named
    assert {each for each in named if ":?" not in each} == {"STATION_PASSWORD:-"}
    example = (ROOT / "deploy/compose/.env.example").read_text()
    for each in named:
        assert re.search(rf"^{re.match(r'[A-Z_]+', each)[0]}=$", example, re.MULTILINE)


IMAGES = {name: each["image"] for name, each in SERVICES.items() if not each["image"].startswith("cato/")}


@pytest.mark.parametrize("name", IMAGES)
def test_images_of_others_have_a_fixed_version(name):
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-alpine)?", IMAGES[name])


def test_the_simulated_exchange_is_at_the_address_of_the_station():
    config = Config.model_validate(yaml.safe_load((ROOT / "deploy/compose/config/cato.yaml").read_text()))
    (station,) = config.stations
    exchange = SERVICES["exchange"]
    assert exchange["network_mode"] == "host"
    assert station.uri == "sip:127.0.0.1:5070;transport=udp"
    assert "${EXCHANGE_PORT:-5070}" in exchange["command"]


def test_example_configuration_is_valid():
    config = Config.model_validate(yaml.safe_load((ROOT / "deploy/compose/config/cato.yaml").read_text()))
    (token,) = config.tokens
    assert token.token_env in SERVICES["api-gateway"]["environment"]
    assert config.dialing.rtp_port_till - config.dialing.rtp_port_from >= 2 * config.channels
