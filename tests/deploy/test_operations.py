"""docs/operations.md and cato.yaml agree with the settings that the code reads."""

import importlib
import re
from pathlib import Path

import yaml
from pydantic_settings import BaseSettings

from cato_dialer.dial.adapters.configured_stations import station_of
from cato_runtime.configuration.config import Config, load_config
from cato_runtime.configuration.reference import config_keys, reference
from cato_runtime.configuration.station_config import StationConfig
from tests.docker.page_commands import NOT_RUN_HERE, RUN_HERE, commands_of_page, is_loop

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def service_settings():
    """Return the settings classes of the services as `module:class`."""
    for file in sorted(ROOT.glob("services/*/src/*/settings.py")):
        module = importlib.import_module(f"{file.parent.name}.settings")
        for name, value in vars(module).items():
            own = isinstance(value, type) and issubclass(value, BaseSettings)
            if own and value.__module__ == module.__name__:
                yield f"{module.__name__}:{name}", value


def test_reference_equals_the_generated_one():
    settings = dict(service_settings())
    command = " ".join(["python -m cato_runtime.configuration.reference", *settings])
    assert f"`{command}`" in OPERATIONS
    section = OPERATIONS.split("<!-- reference: begin -->\n")[1].split("<!-- reference: end -->")[0]
    assert section.strip() == reference(tuple(settings.values())).strip(), f"put in the output of {command}"


def test_links_have_a_target_heading():
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in OPERATIONS.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", OPERATIONS)) <= headings


def test_every_command_of_the_page_is_tried_or_has_a_reason():
    shown = {line for line in commands_of_page() if not is_loop(line)}
    assert shown == RUN_HERE | NOT_RUN_HERE.keys()
    assert set() == RUN_HERE & NOT_RUN_HERE.keys()


def test_example_file_has_every_key():
    text = (ROOT / "cato.yaml").read_text()
    keys = {key.removesuffix("[]").rsplit(".")[-1] for key, _ in config_keys(Config)}
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()


def test_example_file_has_the_defaults_except_for_its_station():
    config = load_config(ROOT / "cato.yaml")
    (station,) = config.stations
    assert station.uri == "sip:127.0.0.1:5070;transport=udp"
    assert station == StationConfig(uri=station.uri)
    assert config.model_copy(update={"stations": ()}) == Config()


def test_commented_keys_of_the_example_file_are_valid(monkeypatch):
    monkeypatch.setenv("STATION_PASSWORD", "secret")
    lines = []
    for line in (ROOT / "cato.yaml").read_text().splitlines():
        shown = re.sub(r"^(\s*)# (\s*(?:- )?\w+: |\s*(?:auth|numberRules):)", r"\1\2", line)
        lines.append(shown)
    text = "\n".join(line for line in lines if "numberRules: []" not in line)
    config = Config.model_validate(yaml.safe_load(text))
    assert len(config.tokens) == 3
    assert config.stations[0].auth is not None
    assert station_of(config.stations[0]).dialled("89991234567") == "+79991234567"
    assert config.dialing.public_address is not None
