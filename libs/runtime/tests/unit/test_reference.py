from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from cato_runtime.configuration.config import Config
from cato_runtime.configuration.reference import config_keys, reference, variables
from cato_runtime.configuration.settings import ServiceSettings


class Waiting(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CATO_X_", use_attribute_docstrings=True)

    patience: timedelta = timedelta(seconds=90)
    """How long | to wait."""

    door: int = Field(validation_alias="CATO_DOOR", ge=1)


def test_nested_keys_are_named_by_their_path_in_the_file():
    keys = {key for key, _ in config_keys(Config)}
    assert {"timeZone", "license.maxChannels", "stations[].auth.username"} <= keys
    assert "stations[].register" in keys


def test_every_key_and_variable_says_what_it_means():
    unexplained = [key for key, field in config_keys(Config) if not field.description]
    unexplained += [name for name, field in variables(ServiceSettings) if not field.description]
    assert unexplained == []


def test_defaults_and_bounds_are_those_of_the_model():
    text = reference()
    assert "| `license.maxChannels` | integer, at least 0 | `100` |" in text
    assert "| `stations[].maxSetupDelayS` | integer, 1..180 | `20` |" in text
    permissions = "`read`, `write`, `run`, `admin`, `analyst`, `emergency`, `approve`"
    assert f"| `tokens[].permissions` | list of {permissions} | `read`, `write`, `run` |" in text
    assert "| `stations[].auth.username` | text | required |" in text
    assert "| `CATO_LOG_FORMAT` | `json`, `console` | `json` |" in text


def test_settings_of_a_single_service_are_added():
    text = reference((Waiting,))
    assert "| `CATO_X_PATIENCE` | duration (`PT10S`) | 90 s | How long \\| to wait. |" in text
    assert "| `CATO_DOOR` | integer, at least 1 | required |" in text
